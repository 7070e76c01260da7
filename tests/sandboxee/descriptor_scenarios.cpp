// The reserved descriptors, and limits.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

constexpr int kControl = 4095;
constexpr int kLastChannel = 4094;

bool opens(const Place& place) {
  const int fd = open(place.file().c_str(), O_RDONLY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

long close_range_(unsigned first, unsigned last, unsigned flags) {
  return syscall(SYS_close_range, first, last, flags);
}

}  // namespace

SEALED_SCENARIO(closing_everything_leaves_the_broker) {
  const int fd = open(place.file().c_str(), O_RDONLY);
  CHECK(fd >= 3);
  CHECK(close_range_(3, ~0U, 0) == 0);
  CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
  CHECK(opens(place));
  const int kept = open(place.file().c_str(), O_RDONLY);
  CHECK(close_range_(3, ~0U, 4) == 0);  // CLOSE_RANGE_CLOEXEC
  CHECK(fcntl(kept, F_GETFD) == FD_CLOEXEC);
  closefrom(3);
  CHECK_ERRNO(fcntl(kept, F_GETFD), EBADF);
  CHECK(opens(place));
  CHECK(close_range_(4000, 5000, 0) == 0);
  CHECK(close_range_(4050, 4060, 0) == 0);
  CHECK(close_range_(5000, ~0U, 0) == 0);
  CHECK_ERRNO(close_range_(5, 4, 0), EINVAL);
  CHECK_ERRNO(close_range_(3, 4, 64), EINVAL);
  CHECK_ERRNO(close_range_(3, 4, 2), EPERM);  // CLOSE_RANGE_UNSHARE
  for (int number = 3; number < 4100; ++number) close(number);
  CHECK(opens(place));
}

SCENARIO(descriptors_above_the_reserved_ones_can_be_closed) {
  rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  if (limit.rlim_max < 5000) return;  // no such descriptor can exist here
  CHECK(fcntl(STDERR_FILENO, F_DUPFD, 4500) == 4500);
  enter("test");
  CHECK(fcntl(4500, F_GETFD) == 0);
  CHECK(close_range_(3, ~0U, 4) == 0);
  CHECK(fcntl(4500, F_GETFD) == FD_CLOEXEC);
  CHECK(close_range_(3, ~0U, 0) == 0);
  CHECK_ERRNO(fcntl(4500, F_GETFD), EBADF);
  CHECK(opens(place));
}

SEALED_SCENARIO(nothing_lands_on_a_reserved_number) {
  for (const int reserved : {kControl, kLastChannel, 4032}) {
    CHECK_ERRNO(dup2(STDERR_FILENO, reserved), EBADF);
    CHECK_ERRNO(fcntl(STDERR_FILENO, F_DUPFD, reserved), EINVAL);
    CHECK_ERRNO(close(reserved), EBADF);
  }
  CHECK(opens(place));
}

SEALED_SCENARIO(limits_may_be_lowered_and_not_raised) {
  rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(limit.rlim_max == 4095 && limit.rlim_cur <= 4032);
  const rlimit higher{4096, 4096};
  CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &higher), EPERM);
  const rlimit wrong{100, 50};
  CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &wrong), EINVAL);
  // All that there seems to be: the reserved numbers stay out of reach.
  const rlimit all{4095, 4095};
  CHECK(setrlimit(RLIMIT_NOFILE, &all) == 0);
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 4032);
  CHECK_ERRNO(dup2(STDERR_FILENO, kLastChannel), EBADF);
  const rlimit lower{100, 200};
  CHECK(setrlimit(RLIMIT_NOFILE, &lower) == 0);
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 100 && limit.rlim_max == 200);
  CHECK(opens(place));
  const rlimit core{0, 0};
  rlimit before;
  CHECK(prlimit(getpid(), RLIMIT_CORE, &core, &before) == 0);
  CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
  CHECK_ERRNO(prlimit(getppid(), RLIMIT_CORE, &core, nullptr), EPERM);
  CHECK_ERRNO(syscall(SYS_prlimit64, 0, 77, &core, nullptr), EINVAL);
}

SCENARIO(a_policys_limit_of_descriptors) {
  enter("few");
  rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 64 && limit.rlim_max == 64);
  int last = -1;
  for (int fd; (fd = open(place.file().c_str(), O_RDONLY)) >= 0;) last = fd;
  CHECK(last == 63);
  CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EMFILE);
  closefrom(3);
  CHECK(opens(place));
}

SEALED_SCENARIO(children_work_under_a_lowered_limit) {
  const rlimit lower{64, 64};
  CHECK(setrlimit(RLIMIT_NOFILE, &lower) == 0);
  // Its channels find no reserved number in reach, and live for one call each.
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 100; ++i) {
      if (!opens(place)) _exit(1);
    }
    _exit(0);
  }
  CHECK(child > 0);
  CHECK(opens(place));
}
