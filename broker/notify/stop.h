// Stop: waiting for a traced thread to stand still, in a process where others may wait too. A
// waitpid(2) for whatever child, in any thread of the tracer's process, is told of the stops of
// traced threads as well, and takes them away.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <functional>

namespace torno::notify {

// The next change of a traced thread, as waitpid(2) has it; used by the thread that traces.
class StopWait {
 public:
  StopWait();
  ~StopWait();
  StopWait(const StopWait&) = delete;
  StopWait& operator=(const StopWait&) = delete;

  // False: the thread is gone, and nobody knows how. Whenever the wait is interrupted, or takes
  // long, and the thread does not stand, `ask` may make it.
  bool wait(pid_t thread, int& status, const std::function<void()>& ask) const;

 private:
  bool ticks_ = false;
  timer_t timer_{};
};

}  // namespace torno::notify
