// chown, lchown, fchown, fchownat. To whom the broker's user may give it, as the kernel says.
#include <unistd.h>

#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/change.h"
#include "broker/files/deny.h"

namespace torno::files {

namespace {

constexpr std::uint32_t kFlags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

}  // namespace

Outcome change_owner(const Task& task, const ChownRequest& request) {
  if ((request.flags & ~kFlags) != 0) return failed(EINVAL);
  const auto at_fd = [&request](int fd) {
    return ::fchownat(fd, "", request.user, request.group, AT_EMPTY_PATH) == 0 ? 0 : errno;
  };
  return change(task, request.flags,
                {[at_fd](const Pin& pin) { return at_fd(pin.fd.get()); },
                 [at_fd](int fd, const struct statx&) { return at_fd(fd); }});
}

}  // namespace torno::files
