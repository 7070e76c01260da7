#include "bench/calls.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace torno::bench {
namespace {

bool make(Call call, const char* path) {
  switch (call) {
    case Call::kOpenClose: {
      const int fd = open(path, O_RDONLY | O_CLOEXEC);
      return fd >= 0 && close(fd) == 0;
    }
    case Call::kStat: {
      struct stat result{};
      return stat(path, &result) == 0;
    }
    case Call::kAccess:
      return access(path, R_OK) == 0;
  }
  return false;
}

}  // namespace

const char* name(Call call) {
  switch (call) {
    case Call::kOpenClose:
      return "open+close";
    case Call::kStat:
      return "stat";
    case Call::kAccess:
      return "access";
  }
  return "";
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

bool run(Call call, const char* path, std::uint32_t count, std::int64_t& elapsed_ns) {
  const std::int64_t start = now_ns();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!make(call, path)) return false;
  }
  elapsed_ns = now_ns() - start;
  return true;
}

void pin_to_one_cpu() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) {
    std::perror("torno_bench: cannot pin to CPU 0; allow it in this process's CPU set");
    std::exit(1);
  }
}

}  // namespace torno::bench
