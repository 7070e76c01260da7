#include "broker/session/sender.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace torno::session {

Sender::Sender(pid_t pid)
    : pid_(pid), process_(pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)) : -1) {}

bool Sender::is_gone() const {
  if (pid_ <= 0) return false;
  if (!process_) return true;
  pollfd exited{process_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&exited, 1, 0);
  } while (ready < 0 && errno == EINTR);  // the pool interrupts the requests that it cancels
  return ready != 0;
}

}  // namespace torno::session
