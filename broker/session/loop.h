// Loop: one io thread: the sockets of its sessions, and what other threads post to it.
//
// An epoll set of its own, level-triggered, because a brokered open is a few system calls long:
// Asio, which does all that is not a session's socket, would re-arm the socket for every request,
// which is one call more (epoll_ctl(2)), and take a quarter of the broker's own instructions.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>

#include "broker/base/fd.h"

namespace torno::session {

class Loop {
 public:
  // What may be done with a socket without waiting; also said of one that was hung up.
  struct Ready {
    bool read = false;
    bool write = false;
  };
  using Task = std::move_only_function<void()>;
  using Handler = std::move_only_function<void(Ready)>;
  struct Watch;
  using Handle = std::list<Watch>::iterator;

  // Throws std::system_error when the kernel gives no descriptor.
  Loop();

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // From any thread: `task` runs on the loop's, after those posted before and before any socket
  // that is seen to be ready later. Those left when the loop is stopped wait for run_posted().
  void post(Task task);

  // Runs on this thread until stop(). What a handler or a task throws comes out; call again.
  void run();

  // On the loop's thread, or while it does not run.
  void stop() { stopped_ = true; }
  void run_posted();

  // The following on the loop's thread alone.

  // Counts the waits: within one number every socket that is ready is called once at most, so who
  // has many of them can leave the others their turn.
  std::uint64_t turn() const { return turn_; }

  // Calls `ready` whenever `fd` (borrowed) can be read, until unwatch(). Nothing when the kernel
  // watches no more descriptors for this user: a sandboxee can use up fs.epoll.max_user_watches.
  std::optional<Handle> watch(int fd, Handler ready);

  // Whether `ready` is also called while there is room to write.
  void want_room(Handle watch, bool wanted);

  // Before its descriptor is closed. The handler may be the one that runs: it is kept until it
  // returned.
  void unwatch(Handle watch);

  struct Watch {
    int fd;
    Handler ready;
    bool active = true;
  };

 private:
  void ring();
  void silence();

  Fd epoll_;
  Fd doorbell_;
  bool stopped_ = false;
  std::uint64_t turn_ = 0;
  std::list<Watch> watches_;
  std::list<Watch> dropped_;  // until the events of one wait are dealt with: those point to them

  std::atomic<bool> rung_ = false;  // tasks were posted since they were last taken
  std::mutex mutex_;
  std::list<Task> posted_;  // under the mutex; a list, to be put back without allocation
};

}  // namespace torno::session
