#include "broker/notify/listener.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace torno::notify {
namespace {

// Linux 6.6; newer than this system's header.
constexpr unsigned long kSetFlags = _IOW('!', 4, std::uint64_t);
constexpr std::uint64_t kSyncWakeUp = 1;

// An ioctl(2) on the listener, made again when a signal that is the broker's own, or a stop of its
// process, ended it: for the caller nothing has happened yet then.
template <typename Argument>
int control(int listener, unsigned long request, Argument* argument) {
  int result = -1;
  do {
    result = ::ioctl(listener, request, argument);
  } while (result < 0 && errno == EINTR);
  return result;
}

bool respond(int listener, seccomp_notif_resp response) {
  return control(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

}  // namespace

// Who waits for an answer does nothing else, so the kernel may well run the one that answers on the
// same processor, which is several times cheaper than waking another.
Listener::Listener(Fd fd) : fd_(std::move(fd)) {
  ::ioctl(fd_.get(), kSetFlags, kSyncWakeUp);
}

std::optional<Notification> Listener::receive() const {
  seccomp_notif received{};  // the kernel demands zeroes
  if (::ioctl(fd_.get(), SECCOMP_IOCTL_NOTIF_RECV, &received) != 0) return std::nullopt;
  Notification notification;
  notification.id = received.id;
  notification.thread = static_cast<pid_t>(received.pid);
  notification.number = received.data.nr;
  std::ranges::copy(received.data.args, notification.args.begin());
  return notification;
}

bool Listener::is_deserted() const {
  pollfd listener{fd_.get(), POLLIN, 0};
  return ::poll(&listener, 1, 0) == 1 && (listener.revents & POLLHUP) != 0;
}

bool Listener::is_waiting(std::uint64_t id) const {
  return control(fd_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

bool Listener::answer(std::uint64_t id, std::int64_t result) const {
  seccomp_notif_resp response{};
  response.id = id;
  if (result < 0) {
    response.error = static_cast<std::int32_t>(result);
  } else {
    response.val = result;
  }
  return respond(fd_.get(), response);
}

// Both at once, since two steps would wake the caller twice. Never again after EINTR: the call has
// its answer then.
int Listener::give(std::uint64_t id, int fd, bool close_on_exec) const {
  seccomp_notif_addfd add{};
  add.id = id;
  add.flags = SECCOMP_ADDFD_FLAG_SEND;
  add.srcfd = static_cast<std::uint32_t>(fd);
  add.newfd_flags = close_on_exec ? O_CLOEXEC : 0;
  return ::ioctl(fd_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0 ? 0 : errno;
}

int Listener::add(std::uint64_t id, int fd, bool close_on_exec) const {
  seccomp_notif_addfd add{};
  add.id = id;
  add.srcfd = static_cast<std::uint32_t>(fd);
  add.newfd_flags = close_on_exec ? O_CLOEXEC : 0;
  const int number = control(fd_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  if (number >= 0) return number;
  return errno == EINPROGRESS ? -ENOENT : -errno;  // it has its answer, but has not run since
}

bool Listener::go_on(std::uint64_t id) const {
  seccomp_notif_resp response{};
  response.id = id;
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  return respond(fd_.get(), response);
}

}  // namespace torno::notify
