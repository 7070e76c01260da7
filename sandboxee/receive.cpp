#include "sandboxee/receive.h"

#include <sys/socket.h>

#include <cerrno>

#include "sandboxee/raw.h"

namespace torno {

void Received::close_fds(int keep) {
  while (fd_count > keep) raw::call(__NR_close, fds[--fd_count]);
}

Received receive(int socket, void* buffer, std::size_t size, int flags) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  static_assert(sizeof control == CMSG_LEN(kMaxReceivedFds * sizeof(int)));
  iovec piece{buffer, size};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;

  Received received;
  received.size = raw::call(__NR_recvmsg, socket, &message, flags);
  if (received.size < 0) return received;
  // CMSG_NXTHDR is a function of libc's; a second header does not fit anyway.
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    received.fd_count = static_cast<int>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    __builtin_memcpy(received.fds, CMSG_DATA(header),
                     static_cast<std::size_t>(received.fd_count) * sizeof(int));
  }
  received.fds_lost = (message.msg_flags & MSG_CTRUNC) != 0;
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    received.close_fds();
    received.size = -EMSGSIZE;
  }
  return received;
}

}  // namespace torno
