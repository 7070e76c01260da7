#include "broker/session/datagram.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace torno::session {
namespace {

// Descriptors of one message (SCM_MAX_FD of the kernel). There is room for all of them: one that
// does not fit is closed by the kernel, on this thread.
constexpr std::size_t kMostFds = 253;

// Takes what the control message holds; true when it held credentials.
bool collect(const cmsghdr& header, Datagram& datagram) {
  if (header.cmsg_level != SOL_SOCKET) return false;
  const unsigned char* data = CMSG_DATA(&header);
  if (header.cmsg_type == SCM_CREDENTIALS) {
    ucred sender{};
    std::memcpy(&sender, data, sizeof sender);
    datagram.client = sender.pid;
    return true;
  }
  if (header.cmsg_type == SCM_RIGHTS) {
    const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, data + i * sizeof fd, sizeof fd);
      Fd owned(fd);
      if (datagram.fd_count < Datagram::kMaxFds) {
        datagram.fds[datagram.fd_count++] = std::move(owned);
      } else {
        datagram.surplus.push_back(std::move(owned));
      }
    }
  }
  return false;
}

Datagram broken(Datagram datagram, const char* how) {
  datagram.status = Datagram::Status::kBroken;
  datagram.broken = how;
  return datagram;
}

}  // namespace

// By syscall(2), here and in send(): libc makes them points of cancellation, at the price of four
// locked instructions a message, and nobody cancels a thread of the broker.
Datagram receive(int socket, std::span<char> buffer) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * kMostFds)];
  iovec piece{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;

  Datagram datagram;
  ssize_t length = 0;
  do {
    length = ::syscall(SYS_recvmsg, socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) {
    datagram.status = errno == EAGAIN ? Datagram::Status::kNothing : Datagram::Status::kClosed;
    return datagram;
  }

  bool signed_by_kernel = false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (collect(*header, datagram)) signed_by_kernel = true;
  }
  // The kernel adds credentials to every message, an empty one too; only the end has none.
  if (!signed_by_kernel) {
    if (length > 0 || datagram.fd_count > 0) {
      return broken(std::move(datagram), "a message without credentials");
    }
    datagram.status = Datagram::Status::kClosed;
    return datagram;
  }
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    return broken(std::move(datagram), "a message larger than MAX_MESSAGE");
  }
  if (!datagram.surplus.empty()) {
    return broken(std::move(datagram), "more descriptors than the message says");
  }
  datagram.fd_lost = (message.msg_flags & MSG_CTRUNC) != 0;
  datagram.status = Datagram::Status::kMessage;
  datagram.bytes = {buffer.data(), static_cast<std::size_t>(length)};
  return datagram;
}

int send(int socket, std::string_view bytes, std::span<const int> fds) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * Datagram::kMaxFds)]{};
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  while (::syscall(SYS_sendmsg, socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int pass_credentials(int socket) {
  const int on = 1;
  return ::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 ? 0 : errno;
}

}  // namespace torno::session
