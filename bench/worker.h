// Worker: a child process that makes the measured calls on demand. It is set up once (sealed,
// trapped, pinned) and lives through all rounds, so that variants can take turns and a drift of
// the machine touches all of them alike.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "bench/calls.h"
#include "broker/base/fd.h"

namespace torno::bench {

class Worker {
 public:
  // `set_up` runs in the child; `path` is what the calls are made on.
  Worker(const std::string& path, const std::function<void()>& set_up);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Nanoseconds of `count` calls; negative when one of them failed or the child is gone.
  std::int64_t measure(Call call, std::uint32_t count);

 private:
  Fd socket_;
  pid_t pid_ = -1;
};

// A child process that runs `body` and ends with its parent.
pid_t spawn(const std::function<void()>& body);

// Ends a child that spawn made.
void stop(pid_t pid);

}  // namespace torno::bench
