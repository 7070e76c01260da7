// Watchdog: slow calls of threads that were killed, or that a signal waits for. The kernel tells
// the supervisor of neither: a call that was received is not interrupted by a signal
// (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), so whoever performs it has to look.
//
// Thread safety: every member may be called from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>

#include "broker/notify/listener.h"
#include "broker/session/slow_pool.h"

namespace torno::notify {

class Watchdog {
 public:
  // `pool` outlives it.
  explicit Watchdog(session::SlowPool& pool);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  // Cancels `job` when its call does not wait any more, or when a signal waits that the thread
  // would take. False: the kernel gives no thread to watch with.
  bool watch(const std::shared_ptr<session::SlowPool::Job>& job,
             std::shared_ptr<const Listener> listener, std::uint64_t id, pid_t thread);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with its thread, which ends when there is nothing left
};

}  // namespace torno::notify
