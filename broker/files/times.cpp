// utimensat and its elders: utime, utimes, futimesat, and futimens of libc.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/change.h"
#include "broker/files/deny.h"

namespace torno::files {

namespace {

constexpr std::uint32_t kFlags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
}  // namespace

Outcome change_times(const Task& task, const TimesRequest& request) {
  if ((request.flags & ~kFlags) != 0) return failed(EINVAL);
  const auto is_omitted = [](const timespec& time) { return time.tv_nsec == UTIME_OMIT; };
  if (std::ranges::all_of(request.times, is_omitted)) return {};  // as the kernel: no look at all
  const auto at_fd = [&](int fd) {
    Foundation::OwnLink link;
    if (const int error = task.broker.link_of(fd, link); error != 0) return error;
    const int result = ::utimensat(link.directory, link.name.data(), request.times.data(), 0);
    return result == 0 ? 0 : errno;
  };
  return change(task, request.flags,
                {[at_fd](const Pin& pin) { return at_fd(pin.fd.get()); },
                 [at_fd](int fd, const struct statx&) { return at_fd(fd); }});
}

}  // namespace torno::files
