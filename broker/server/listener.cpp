#include "broker/server/listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace torno::server {
namespace {

int option(int fd, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

bool is_seqpacket(int fd) {
  return option(fd, SO_DOMAIN) == AF_UNIX && option(fd, SO_TYPE) == SOCK_SEQPACKET;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes room at `path`: nothing is there, or a socket whose broker is gone.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return std::unexpected(system_error("cannot look at " + escape(path), errno));
  }
  if (!S_ISSOCK(status.st_mode)) {
    return std::unexpected(Error{escape(path) + " is no socket; choose another --socket"});
  }
  const Fd probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return std::unexpected(system_error("cannot make a socket", errno));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno != ECONNREFUSED) {
    return std::unexpected(
        Error{"something answers on " + escape(path) + "; stop it or choose another --socket"});
  }
  if (::unlink(path.c_str()) != 0) {
    return std::unexpected(system_error("cannot remove the old socket " + escape(path), errno));
  }
  return {};
}

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

Listener::Listener(Fd socket, std::string path, bool remove)
    : socket_(std::move(socket)), path_(std::move(path)), remove_(remove) {
  struct stat status{};
  if (remove_ && ::lstat(path_.c_str(), &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
}

Listener::Listener(Listener&& other) noexcept
    : socket_(std::move(other.socket_)),
      path_(std::move(other.path_)),
      remove_(std::exchange(other.remove_, false)),
      device_(other.device_),
      inode_(other.inode_) {}

Listener::~Listener() {
  remove();
}

void Listener::remove() {
  if (!std::exchange(remove_, false)) return;
  struct stat status{};
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

Result<Listener> Listener::bind(const std::string& path) {
  const auto address = address_of(path);
  if (!address) {
    return std::unexpected(
        Error{"--socket " + escape(path) + ": a socket's path has 1 to 107 bytes"});
  }
  // Two brokers that start at once take turns here; else one removes what the other just made.
  const std::string directory = directory_of(path);
  const Fd turn(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!turn) return std::unexpected(system_error("cannot open " + escape(directory), errno));
  while (::flock(turn.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return std::unexpected(system_error("cannot lock " + directory, errno));
  }
  if (auto room = remove_stale(path, *address); !room) return std::unexpected(room.error());

  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return std::unexpected(system_error("cannot make a socket", errno));
  const mode_t before = ::umask(0177);
  const int bound =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) return std::unexpected(system_error("cannot bind " + escape(path), error));
  Listener listener(std::move(socket), path, true);
  if (::listen(listener.fd(), SOMAXCONN) != 0) {
    return std::unexpected(system_error("cannot listen on " + escape(path), errno));
  }
  return listener;
}

Result<Listener> Listener::adopt(Fd socket) {
  if (!is_seqpacket(socket.get()) || option(socket.get(), SO_ACCEPTCONN) != 1) {
    return std::unexpected(
        Error{"the socket from the service manager is no listening Unix SOCK_SEQPACKET socket; "
              "use ListenSequentialPacket="});
  }
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  sockaddr_un address{};
  socklen_t length = sizeof address;
  std::string path;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
      length > offsetof(sockaddr_un, sun_path) && address.sun_path[0] == '/') {
    path.assign(address.sun_path,
                ::strnlen(address.sun_path, length - offsetof(sockaddr_un, sun_path)));
  }
  return Listener(std::move(socket), std::move(path), false);
}

bool is_connected_seqpacket(int fd) {
  sockaddr_un peer{};
  socklen_t length = sizeof peer;
  return is_seqpacket(fd) && ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
}

}  // namespace torno::server
