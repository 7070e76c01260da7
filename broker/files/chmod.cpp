// chmod, fchmod, fchmodat, fchmodat2.
#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/change.h"
#include "broker/files/deny.h"

namespace torno::files {

namespace {

constexpr std::uint32_t kFlags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
constexpr std::uint32_t kModeBits = 07777;
constexpr std::uint32_t kExecuteBits = 0111;

// Those that a directory has already are no news; on a file none is ever set.
bool sets_privilege(std::uint32_t mode, const struct statx& object) {
  constexpr std::uint32_t kPrivileged = S_ISUID | S_ISGID | S_ISVTX;
  const bool is_directory = (object.stx_mode & S_IFMT) == S_IFDIR;
  const std::uint32_t had = is_directory ? object.stx_mode & (S_ISGID | S_ISVTX) : 0;
  return (mode & kPrivileged & ~had) != 0;
}

}  // namespace

Outcome change_mode(const Task& task, const ChmodRequest& request) {
  if ((request.flags & ~kFlags) != 0) return failed(EINVAL);
  const std::uint32_t mode = request.mode & kModeBits;
  const auto at_pin = [&task, mode](const Pin& pin) {
    if (pin.is(S_IFLNK)) return EOPNOTSUPP;
    if (sets_privilege(mode, pin.stat)) return EPERM;
    Foundation::OwnLink link;
    if (const int error = task.broker.link_of(pin.fd.get(), link); error != 0) return error;
    return ::fchmodat(link.directory, link.name.data(), mode, 0) == 0 ? 0 : errno;
  };
  const auto at_descriptor = [mode](int fd, const struct statx& object) {
    if (sets_privilege(mode, object)) return EPERM;
    // No rule about executing could hold a file without a path.
    const bool is_file = (object.stx_mode & S_IFMT) == S_IFREG;
    if (is_file && (mode & kExecuteBits & ~object.stx_mode) != 0) return EPERM;
    return ::fchmod(fd, mode) == 0 ? 0 : errno;
  };
  return change(task, request.flags, {at_pin, at_descriptor});
}

}  // namespace torno::files
