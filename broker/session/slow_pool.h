// SlowPool: threads for requests that may block (a FIFO without a writer, a network file system).
// A job that is no longer wanted, or runs longer than it may, is interrupted: its system call fails
// with EINTR, again and again until the job ends, since the first interrupt may come before the
// call.
//
// Jobs are counted per peer process, over all its sessions, and take turns (turns.h). Only a peer
// at its own limit is refused. A waiting job can wait for ever (behind FIFOs that nobody opens)
// just as a running one can, and ends like it, by cancel.
//
// Thread safety: every member may be called from any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "broker/session/limits.h"

namespace torno::session {

class SlowPool {
 public:
  class Job;  // what cancel takes
  // Runs on a thread of the pool. `cancelled` is true when nobody waits any more and the work
  // must not begin.
  using Work = std::move_only_function<void(bool cancelled)>;

  using Time = std::optional<std::chrono::milliseconds>;

  SlowPool();
  // Interrupts what runs and waits for it, at most kDrainTime; a job stuck in the kernel beyond
  // that keeps what it holds.
  ~SlowPool();
  SlowPool(const SlowPool&) = delete;
  SlowPool& operator=(const SlowPool&) = delete;

  // Null when `peer` has as many jobs as it may: `work` is then not run. With `at_most` the job is
  // interrupted when it has run for that long.
  std::shared_ptr<Job> submit(pid_t peer, Work work, Time at_most = {});
  // A job that waits for its turn is told so on this thread.
  void cancel(const std::shared_ptr<Job>& job);

  // Cancels every job and waits for their threads; false when one is still stuck after `time`.
  bool drain(std::chrono::milliseconds time);

 private:
  static constexpr std::chrono::seconds kDrainTime{2};
  struct State;
  std::shared_ptr<State> state_;  // shared with the threads, which may outlive the pool
};

}  // namespace torno::session
