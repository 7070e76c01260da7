#include "broker/server/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace torno::server {
namespace {

// Linux 6.5; Debian 12's headers are older.
constexpr int kSoPeerPidfd = 77;

// When the process started, in clock ticks since boot: field 22 of /proc/PID/stat, counted from
// behind the ')' that ends the program's name, since a name may hold anything.
std::optional<std::uint64_t> start_time(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  char text[1024];
  const ssize_t length = ::read(file.get(), text, sizeof text);
  if (length <= 0) return std::nullopt;
  std::string_view rest(text, static_cast<std::size_t>(length));
  rest.remove_prefix(std::min(rest.rfind(')') + 1, rest.size()));
  for (int field = 2; field < 22; ++field) {
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(space + 1);
  }
  return std::strtoull(std::string(rest.substr(0, rest.find(' '))).c_str(), nullptr, 10);
}

std::uint64_t ticks_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return static_cast<std::uint64_t>(now.tv_sec) * per_second +
         static_cast<std::uint64_t>(now.tv_nsec) * per_second / 1'000'000'000;
}

// The process behind the socket. Before Linux 6.5 the number has to do: the process that has it
// now is taken for the peer unless it is younger than the connection's acceptance.
Fd open_peer(int socket, pid_t pid, std::uint64_t accepted) {
  int fd = -1;
  socklen_t length = sizeof fd;
  if (::getsockopt(socket, SOL_SOCKET, kSoPeerPidfd, &fd, &length) == 0) return Fd(fd);
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  const auto started = start_time(pid);
  if (!started || *started > accepted) return {};
  return pidfd;
}

bool is_alive(const Fd& pidfd) {
  pollfd exited{pidfd.get(), POLLIN, 0};
  return pidfd && ::poll(&exited, 1, 0) == 0;
}

std::string working_directory(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/cwd";
  char target[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  if (length <= 0 || static_cast<std::size_t>(length) >= sizeof target) return {};
  return {target, static_cast<std::size_t>(length)};
}

}  // namespace

Result<session::Peer> identify(int socket) {
  const std::uint64_t accepted = ticks_since_boot();
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return std::unexpected(system_error("cannot tell who connected", errno));
  }
  session::Peer peer{credentials.pid, credentials.uid, {}};
  if (peer.pid <= 0) return peer;  // of another pid namespace: no working directory to be known
  const Fd pidfd = open_peer(socket, peer.pid, accepted);
  std::string cwd = working_directory(peer.pid);
  if (is_alive(pidfd)) peer.cwd = std::move(cwd);
  return peer;
}

}  // namespace torno::server
