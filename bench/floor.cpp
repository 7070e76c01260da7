#include "bench/floor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "bench/trap.h"

namespace torno::bench {
namespace {

struct Request {
  int nr;
  char path[256];
};

struct Reply {
  long result;
  struct stat stat;
};

// One datagram, with at most one descriptor beside it.
class Message {
 public:
  Message(void* data, std::size_t size) : piece_{data, size} {
    header_.msg_iov = &piece_;
    header_.msg_iovlen = 1;
  }

  bool send(int socket, int fd) {
    if (fd >= 0) {
      attach_buffer();
      cmsghdr* control = CMSG_FIRSTHDR(&header_);
      control->cmsg_level = SOL_SOCKET;
      control->cmsg_type = SCM_RIGHTS;
      control->cmsg_len = CMSG_LEN(sizeof fd);
      std::memcpy(CMSG_DATA(control), &fd, sizeof fd);
    }
    return sendmsg(socket, &header_, MSG_NOSIGNAL) >= 0;
  }

  bool receive(int socket, int& fd) {
    attach_buffer();
    fd = -1;
    if (recvmsg(socket, &header_, MSG_CMSG_CLOEXEC) <= 0) return false;
    const cmsghdr* control = CMSG_FIRSTHDR(&header_);
    if (control != nullptr) std::memcpy(&fd, CMSG_DATA(control), sizeof fd);
    return true;
  }

 private:
  void attach_buffer() {
    header_.msg_control = control_;
    header_.msg_controllen = sizeof control_;
  }

  iovec piece_;
  msghdr header_{};
  alignas(cmsghdr) char control_[CMSG_SPACE(sizeof(int))]{};
};

int perform(const Request& request, Reply& reply) {
  int fd = -1;
  switch (request.nr) {
    case SYS_openat:
      fd = openat(AT_FDCWD, request.path, O_RDONLY | O_CLOEXEC);
      reply.result = fd < 0 ? -errno : 0;
      break;
    case SYS_newfstatat:
      reply.result = stat(request.path, &reply.stat) < 0 ? -errno : 0;
      break;
    default:
      reply.result = access(request.path, R_OK) < 0 ? -errno : 0;
  }
  return fd;
}

// The reply of a call that is no stat is its result alone.
std::size_t reply_size(int nr) {
  return nr == SYS_newfstatat ? sizeof(Reply) : sizeof(Reply::result);
}

int g_socket = -1;   // towards the hand-written broker
int g_open_fd = -1;  // what a trap alone answers openat with

std::size_t fill(const TrappedCall& call, Request& request) {
  request.nr = call.nr;
  const std::size_t length = strnlen(call.path, sizeof request.path - 1);
  std::memcpy(request.path, call.path, length);
  request.path[length] = '\0';
  return offsetof(Request, path) + length + 1;
}

long take(const TrappedCall& call, int socket) {
  Reply reply;
  int fd = -1;
  if (!Message(&reply, sizeof reply).receive(socket, fd)) return -EIO;
  if (call.nr == SYS_newfstatat) std::memcpy(call.result, &reply.stat, sizeof reply.stat);
  return fd >= 0 ? fd : reply.result;
}

long ask_persistent(const TrappedCall& call) {
  Request request;
  const std::size_t size = fill(call, request);
  if (!Message(&request, size).send(g_socket, -1)) return -EIO;
  return take(call, g_socket);
}

long ask_fresh(const TrappedCall& call) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -errno;
  Request request;
  const std::size_t size = fill(call, request);
  const bool sent = Message(&request, size).send(g_socket, pair[1]);
  close(pair[1]);
  const long result = sent ? take(call, pair[0]) : -EIO;
  close(pair[0]);
  return result;
}

}  // namespace

void serve_floor(int socket, Channel channel) {
  Request request;
  Reply reply;
  int client = -1;
  while (Message(&request, sizeof request).receive(socket, client)) {
    const int to = channel == Channel::kFresh ? client : socket;
    if (to < 0) return;
    const int fd = perform(request, reply);
    Message(&reply, reply_size(request.nr)).send(to, fd);
    if (fd >= 0) close(fd);
    if (client >= 0) close(client);
  }
}

void trap_into_floor(int socket, Channel channel) {
  g_socket = socket;
  trap_calls(channel == Channel::kFresh ? &ask_fresh : &ask_persistent);
}

void trap_alone() {
  g_open_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  trap_calls(
      [](const TrappedCall& call) -> long { return call.nr == SYS_openat ? dup(g_open_fd) : 0; });
}

}  // namespace torno::bench
