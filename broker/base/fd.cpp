#include "broker/base/fd.h"

#include <cerrno>

namespace torno {

void Fd::close_held() const {
  const int saved = errno;
  ::close(fd_);
  errno = saved;
}

}  // namespace torno
