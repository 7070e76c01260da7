#include "sandboxee/find_broker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "sandboxee/embedded.h"

namespace torno {
namespace {

constexpr char kServiceSocket[] = "/run/torno/broker.sock";

// No service is there, or none for this user: a broker of one's own serves as well. A socket that
// nobody listens on any more is an error instead: somebody meant there to be a service.
bool means_no_service(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES;
}

// A broker serves its own user, whose socket it is; and root may connect to any.
bool is_of_another_user(const char* path) {
  struct stat status;
  return stat(path, &status) == 0 && status.st_uid != geteuid();
}

bool is_seqpacket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

Fd inherited(const char* number, Failure& fail) {
  char* end = nullptr;
  const long fd = strtol(number, &end, 10);
  if (end == number || *end != '\0' || fd < 0 || fd > 0x7fffffff ||
      !is_seqpacket(static_cast<int>(fd))) {
    fail(EINVAL, "TORNO_FD is '%s', not the number of a connected SOCK_SEQPACKET socket", number);
    return Fd();
  }
  return Fd(static_cast<int>(fd));
}

// A socket connected to `path`; without one, errno says why.
Fd connect_to(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = strlen(path);
  if (length >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return Fd();
  }
  memcpy(address.sun_path, path, length);
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return Fd();
  int result;
  do {
    result = connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return socket;
  const int error = errno;
  socket.reset();
  errno = error;
  return Fd();
}

Fd named(const char* path, Failure& fail) {
  Fd socket = connect_to(path);
  if (!socket) {
    const int error = errno;
    fail(error, "cannot connect to the broker at %.200s (TORNO_BROKER): %s; is tornod running?",
         path, strerror(error));
  }
  return socket;
}

}  // namespace

Fd find_broker(bool may_embed, Failure& fail) {
  if (const char* number = secure_getenv("TORNO_FD")) return inherited(number, fail);
  if (const char* path = secure_getenv("TORNO_BROKER")) return named(path, fail);
  Fd service;
  if (is_of_another_user(kServiceSocket)) {
    errno = EACCES;
  } else {
    service = connect_to(kServiceSocket);
  }
  if (service) return service;
  if (!means_no_service(errno)) {
    const int error = errno;
    fail(error, "cannot connect to the broker at %s: %s; is tornod running?", kServiceSocket,
         strerror(error));
    return Fd();
  }
  if (!may_embed) {
    fail(ENOENT,
         "no broker: TORNO_FD and TORNO_BROKER are not set, and no service of this user is at %s; "
         "start tornod",
         kServiceSocket);
    return Fd();
  }
  return start_embedded(fail);
}

}  // namespace torno
