// Closer: closes descriptors on threads of its own. The last close of a descriptor may wait for
// as long as whoever sent it likes: a socket lingers, a FUSE server keeps its answer back, and so
// does a Unix socket that has such a thing among its unread messages. On an io thread that would
// hold up every session of the thread.
//
// Where the wait can be interrupted it is, after a moment; a socket goes on lingering in the
// kernel then. Where it cannot be (FUSE, NFS), a session holds one thread at most, and its peer
// process, over all its sessions, leaves every other one its reserve (turns.h).
//
// Thread safety: every member may be called from any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>

#include "broker/base/fd.h"

namespace torno::session {

class Closer {
 private:
  struct State;

 public:
  // Each costs a stack of some pages, and is started when the others are busy. More than 120 peers
  // must hold their reserve for ever before another one has to wait.
  static constexpr std::size_t kSharedThreads = 16;
  static constexpr std::size_t kReservedThreads = 2;
  static constexpr std::size_t kMaxThreads = 256;

  // What one session has to be closed, by one thread at a time.
  class Lane {
   public:
    // Takes the descriptor at once and never waits. Says how many of the lane are not closed yet.
    std::size_t close(Fd fd);

   private:
    friend class Closer;
    friend struct Closer::State;
    struct Queue;
    std::shared_ptr<State> closer_;
    std::shared_ptr<Queue> queue_;
  };

  Closer();
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  ~Closer();

  // `peer`: the process on whose account it closes; 0: of none that is known.
  Lane make_lane(pid_t peer = 0);

  // Waits until everything is closed; false when something is not after `time`.
  bool drain(std::chrono::milliseconds time);

 private:
  static constexpr std::chrono::seconds kDrainTime{2};
  std::shared_ptr<State> state_;  // shared with the threads, which may outlive the closer
};

}  // namespace torno::session
