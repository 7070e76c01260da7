#include "broker/files/special_file.h"

#include <linux/major.h>

#include <cerrno>

#include "broker/files/deny.h"

namespace torno::files {

namespace {

constexpr std::uint64_t kNotForReopen = O_CREAT | O_EXCL | O_NOFOLLOW;

bool opens_at_once(const Task& task, const Pin& pin, std::uint64_t flags) {
  switch (pin.stat.stx_mode & S_IFMT) {
    case S_IFIFO:
      // Else it waits for the other end.
      return (flags & O_NONBLOCK) != 0 || (flags & O_ACCMODE) == O_RDWR;
    case S_IFCHR:
      return pin.stat.stx_rdev_major == MEM_MAJOR;  // null, zero, urandom …
    case S_IFBLK:
      return false;
    default: {
      const bool writes = (flags & O_ACCMODE) != O_RDONLY;
      if (writes && !task.broker.local.writes_at_once(pin.stat.stx_mnt_id)) return false;
      return (flags & O_TRUNC) == 0;  // truncating waits for the disk
    }
  }
}

}  // namespace

policy::Permissions type_permission(const Pin& pin) {
  switch (pin.stat.stx_mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFLNK:
      return policy::kNone;
    case S_IFCHR:
      return policy::kCharacterDevice;
    case S_IFBLK:
      return policy::kBlockDevice;
    case S_IFIFO:
      return policy::kFifo;
    default:
      return policy::kSocket;
  }
}

Opened open_pinned(const Task& task, const Pin& pin, std::uint64_t flags, Outcome& outcome) {
  const bool may_hold = task.wait == Wait::kMayBlock;
  if (!may_hold && !opens_at_once(task, pin, flags)) return Opened::kWaitNeeded;

  // On an io thread a file with a lease would hold it up; on any thread a serial line without a
  // carrier would.
  const bool is_device = pin.is(S_IFCHR) || pin.is(S_IFBLK);
  const bool add = (flags & O_NONBLOCK) == 0 && (!may_hold || is_device);
  const auto asked = static_cast<int>(flags & ~kNotForReopen);
  auto fd = task.broker.reopen(pin.fd, add ? asked | O_NONBLOCK : asked);
  if (!fd && fd.error() == EWOULDBLOCK && add && !may_hold) return Opened::kWaitNeeded;
  if (fd && add && ::fcntl(fd->get(), F_SETFL, asked) != 0) fd = std::unexpected(errno);
  if (!fd) {
    outcome = failed(fd.error());
    return Opened::kFailed;
  }
  outcome = Outcome{};
  outcome.fd = std::move(*fd);
  return Opened::kDone;
}

}  // namespace torno::files
