// Numbers: what processes are called in the pid namespace of the program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <utility>

#include "broker/base/fd.h"

namespace torno::notify {

class Numbers {
 public:
  // `proc`: the root of a procfs of that namespace; none: it is the broker's own.
  explicit Numbers(Fd proc) : proc_(std::move(proc)) {}

  int proc() const { return proc_.get(); }

  // The number of a process that the broker knows as `process`; 0: it is gone. It may be out of
  // date for a second, and then is that of another process of the program's: the kernel gives a
  // number again once all others were used.
  pid_t of(pid_t process);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    pid_t number;
    Clock::time_point until;
  };

  const Fd proc_;
  std::map<pid_t, Known> known_;
};

}  // namespace torno::notify
