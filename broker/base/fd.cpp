#include "broker/base/fd.h"

#include <sys/syscall.h>

#include <cerrno>

namespace torno {

void Fd::close_held() const {
  const int saved = errno;
#ifdef __SANITIZE_THREAD__
  ::close(fd_);  // TSan learns so that the number may be another descriptor's next
#else
  ::syscall(SYS_close, fd_);  // not libc's, which is a point of cancellation
#endif
  errno = saved;
}

}  // namespace torno
