#include "broker/files/foundation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>

#include "broker/files/syscalls.h"

namespace torno::files {

namespace {

// A descriptor's number as text.
struct Number {
  explicit Number(int fd) {
    *std::to_chars(text.data(), text.data() + text.size() - 1, fd).ptr = 0;
  }
  std::array<char, 12> text;
};

Result<void> check_openat2(int root) {
  const auto probe = openat2(root, ".", O_PATH | O_DIRECTORY, 0, kNoLinks | RESOLVE_CACHED);
  if (probe || probe.error() == EAGAIN) return {};
  switch (probe.error()) {
    case ENOSYS:
    case EPERM:
      return std::unexpected(
          Error{"openat2 is refused; a systemd unit must have neither RestrictSUIDSGID= nor "
                "DynamicUser=, a container must permit the call"});
    case EINVAL:
      return std::unexpected(Error{"openat2 has no RESOLVE_CACHED; use Linux 5.12 or later"});
    default:
      return std::unexpected(system_error("cannot open / by openat2", probe.error()));
  }
}

}  // namespace

Result<Foundation> Foundation::lay(const std::vector<std::string>& protected_paths) {
  Foundation laid;
  laid.mounts = Mounts(Fd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  if (laid.mounts.root() < 0) return std::unexpected(system_error("cannot open /", errno));
  struct statx root{};
  if (const int error = identify(laid.mounts.root(), root); error != 0) {
    return std::unexpected(system_error("cannot look at /", error));
  }
  laid.root_mount = root.stx_mnt_id;
  if (auto usable = check_openat2(laid.mounts.root()); !usable)
    return std::unexpected(usable.error());

  laid.own_descriptors = Fd(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!laid.own_descriptors) {
    return std::unexpected(
        system_error("cannot open /proc/self/fd (mount /proc for the broker)", errno));
  }
  laid.owner = ::getpid();
  laid.user = ::geteuid();

  auto own = Protected::find(protected_paths);
  if (!own) return std::unexpected(own.error());
  laid.own = std::move(*own);
  auto local = LocalMounts::read();
  if (!local) return std::unexpected(local.error());
  laid.local = std::move(*local);
  return laid;
}

std::expected<Fd, int> Foundation::reopen(const Fd& pin, int flags, mode_t mode) const {
  // In a fork the numbers below own_descriptors would still be the parent's.
  if (::getpid() != owner) return std::unexpected(EIO);
  const int fd = ::openat(own_descriptors.get(), Number(pin.get()).text.data(),
                          (flags & ~O_NOFOLLOW) | O_CLOEXEC | O_NOCTTY, mode);
  if (fd < 0) return std::unexpected(errno);
  return Fd(fd);
}

int Foundation::link_of(int fd, OwnLink& link) const {
  if (::getpid() != owner) return EIO;
  link = {own_descriptors.get(), Number(fd).text};
  return 0;
}

int Foundation::name_of(int fd, std::string& name) const {
  if (::getpid() != owner) return EIO;
  std::array<char, PATH_MAX> text;
  const ssize_t size =
      ::readlinkat(own_descriptors.get(), Number(fd).text.data(), text.data(), text.size());
  if (size < 0) return errno;
  if (static_cast<std::size_t>(size) == text.size()) return ENAMETOOLONG;
  name.assign(text.data(), static_cast<std::size_t>(size));
  return 0;
}

int Foundation::stat_link_of(int fd, unsigned mask, struct statx& stat) const {
  if (::getpid() != owner) return EIO;
  const Number number(fd);
  const int result =
      ::statx(own_descriptors.get(), number.text.data(), AT_SYMLINK_NOFOLLOW, mask, &stat);
  return result == 0 ? 0 : errno;
}

}  // namespace torno::files
