#include "sandboxee/translate/close_range.h"

#include <fcntl.h>
#include <linux/close_range.h>

#include "sandboxee/limits.h"
#include "sandboxee/translate/translate.h"

namespace torno {
namespace {

int highest_fd = kControlFd;

long close_or_mark(int fd, unsigned flags) {
  if ((flags & CLOSE_RANGE_CLOEXEC) != 0) return raw::call(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
  return raw::call(__NR_close, fd);
}

}  // namespace

void set_highest_fd(int fd) {
  highest_fd = fd;
}

namespace translate {

long close_range(Trap& trap) {
  const unsigned first = trap.as_unsigned(0);
  const unsigned last = trap.as_unsigned(1);
  const unsigned flags = trap.as_unsigned(2);
  if ((flags & ~(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)) != 0) return -EINVAL;
  if (first > last) return -EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) != 0) return trap.refuse(EPERM);

  constexpr unsigned kBelow = kFirstChannelFd - 1;
  constexpr unsigned kAbove = kControlFd + 1;
  if (first <= kBelow) {
    const long error =
        raw::call(__NR_close_range, raw::marked(first), last < kBelow ? last : kBelow, flags);
    if (error != 0) return error;
  }
  const unsigned from = first < kAbove ? kAbove : first;
  for (unsigned fd = from; fd <= last && fd <= static_cast<unsigned>(highest_fd); ++fd) {
    close_or_mark(static_cast<int>(fd), flags);
  }
  return 0;
}

}  // namespace translate
}  // namespace torno
