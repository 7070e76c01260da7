#include "broker/base/fd.h"

#include <sys/syscall.h>

#include <cerrno>

namespace torno {

void Fd::close_held() const {
  const int saved = errno;
  ::syscall(SYS_close, fd_);  // not libc's, which is a point of cancellation
  errno = saved;
}

}  // namespace torno
