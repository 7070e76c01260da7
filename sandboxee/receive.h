// Receive: one datagram of the broker with the descriptors beside it. Async-signal-safe.
#pragma once

#include <cstddef>

namespace torno {

// A control buffer for one descriptor takes two on a 64-bit machine, so two must be expected.
inline constexpr int kMaxReceivedFds = 2;

struct Received {
  long size = 0;  // 0: the broker has closed the socket; else -errno
  int fds[kMaxReceivedFds] = {-1, -1};
  int fd_count = 0;
  bool fds_lost = false;  // MSG_CTRUNC: no number was free for one

  // Closes what was received from the `keep`th descriptor on.
  void close_fds(int keep = 0);
};

// `flags` as of recvmsg(2). A datagram larger than the buffer is -EMSGSIZE.
Received receive(int socket, void* buffer, std::size_t size, int flags);

}  // namespace torno
