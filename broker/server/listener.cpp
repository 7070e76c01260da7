#include "broker/server/listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "broker/files/protected.h"

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

// Two brokers that start at once take turns; else one removes what the other just made. Not by a
// lock on the folder: whoever may read that may lock it, and keep every broker from starting.
class Turn {
 public:
  static Result<Turn> take(const std::string& path);
  Turn(Turn&& other) noexcept
      : path_(std::exchange(other.path_, "")), file_(std::move(other.file_)) {}
  Turn& operator=(Turn&&) = delete;
  // Unlinked while it is locked: who waits for it finds that it is no longer the one at the path.
  ~Turn() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

 private:
  Turn(std::string path, Fd file) : path_(std::move(path)), file_(std::move(file)) {}
  bool is_at_its_path() const;

  std::string path_;
  Fd file_;
};

constexpr int kTurnTries = 100;
constexpr timespec kBetweenTries{0, 20'000'000};

bool Turn::is_at_its_path() const {
  struct stat mine{};
  struct stat there{};
  return ::fstat(file_.get(), &mine) == 0 && ::lstat(path_.c_str(), &there) == 0 &&
         mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

Result<Turn> Turn::take(const std::string& path) {
  for (int i = 0; i < kTurnTries; ++i) {
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!file) return std::unexpected(system_error("cannot make " + escape(path), errno));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      Turn turn(path, std::move(file));
      if (turn.is_at_its_path()) return turn;
      turn.path_.clear();
    } else if (errno != EWOULDBLOCK && errno != EINTR) {
      return std::unexpected(system_error("cannot lock " + escape(path), errno));
    }
    ::nanosleep(&kBetweenTries, nullptr);
  }
  return std::unexpected(
      Error{"another broker holds " + escape(path) + "; stop it or choose another --socket"});
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
  const auto turn = Turn::take(files::lock_of(path));
  if (!turn) return std::unexpected(turn.error());
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
