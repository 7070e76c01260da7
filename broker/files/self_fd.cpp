#include "broker/files/self_fd.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "broker/files/call.h"
#include "broker/files/deny.h"
#include "broker/files/start.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

// Does a description opened with `own` flags give all that `asked` asks for?
bool is_within(int own, std::uint64_t asked) {
  if ((own & O_PATH) != 0) return false;
  const auto access = static_cast<int>(asked & O_ACCMODE);
  const bool reads = access != O_WRONLY;
  const bool writes = access != O_RDONLY || (asked & O_TRUNC) != 0;
  const int own_access = own & O_ACCMODE;
  return (!reads || own_access != O_WRONLY) && (!writes || own_access != O_RDONLY);
}

Outcome duplicate(const Task& task, const Descriptor& descriptor, std::uint64_t flags) {
  const mode_t type = descriptor.stat.stx_mode & S_IFMT;
  if ((flags & O_DIRECTORY) != 0 && type != S_IFDIR) return failed(ENOTDIR);
  const int fd = task.place.fd;
  const int own = ::fcntl(fd, F_GETFL);
  if (own < 0) return failed(errno);
  if (!is_within(own, flags)) return failed(EACCES);
  if ((flags & O_TRUNC) != 0 && type == S_IFREG) {
    if (task.wait == Wait::kNever) return wait_needed();
    if (::ftruncate(fd, 0) != 0) return failed(errno);
  }
  Outcome outcome;
  outcome.fd = Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  return outcome.fd ? std::move(outcome) : failed(errno);
}

// May the name of what the client holds be told?
bool may_tell(const Task& task, const Descriptor& descriptor) {
  std::string_view path = descriptor.name;
  if (!path.starts_with('/')) return true;  // "pipe:[123]"
  if (!descriptor.has_path()) {
    if (path.starts_with("/memfd:")) return true;
    constexpr std::string_view kDeleted = " (deleted)";
    if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  }
  return is_visible(task, path);
}

}  // namespace

Place Descriptor::place(const Place& of) const {
  Place place = of;
  place.base = Place::Base::kAbsolute;
  place.path = name;
  place.fd = -1;
  return place;
}

int describe(const Task& task, Descriptor& descriptor) {
  if (const int error = identify(task.place.fd, descriptor.stat); error != 0) return error;
  return task.broker.name_of(task.place.fd, descriptor.name);
}

policy::Permissions held_by(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0) return policy::kNone;
  policy::Permissions held = policy::kStat | policy::kCreate;
  if ((flags & O_ACCMODE) != O_WRONLY) held |= policy::kRead;
  if ((flags & O_ACCMODE) != O_RDONLY) held |= policy::kWrite;
  return held;
}

Outcome open_self_fd(const Task& task, const OpenRequest& request) {
  constexpr std::uint64_t kNotThroughLinks = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  if ((request.resolve & kNotThroughLinks) != 0) return failed(ELOOP);
  if (is_scoped(request.resolve)) return failed(EXDEV);
  if ((request.flags & O_CREAT) != 0 && (request.flags & O_EXCL) != 0) return failed(EEXIST);
  if ((request.flags & O_NOFOLLOW) != 0) return failed(ELOOP);

  Descriptor descriptor;
  if (const int error = describe(task, descriptor); error != 0) return failed(error);
  if (!descriptor.has_path()) return duplicate(task, descriptor, request.flags);
  OpenRequest by_path = request;
  by_path.flags &= ~static_cast<std::uint64_t>(O_CREAT);
  by_path.place = descriptor.place(request.place);
  return open_path(task, by_path, &descriptor.stat);
}

Outcome stat_descriptor(const Task& task, int fd, unsigned flags, unsigned mask) {
  Outcome outcome;
  struct statx identity{};
  if (const int error = identify(fd, identity); error != 0) return failed(error);
  if (!task.may_wait_for(identity)) return wait_needed();
  outcome.error = statx_fd(fd, flags & AT_STATX_SYNC_TYPE, mask, outcome.stat);
  return outcome;
}

Outcome access_descriptor(const Task& task, int fd, unsigned mode, unsigned flags) {
  struct statx identity{};
  if (const int error = identify(fd, identity); error != 0) return failed(error);
  if (!task.may_wait_for(identity)) return wait_needed();
  return access_at_once(fd, mode, flags);
}

Outcome access_at_once(int fd, unsigned mode, unsigned flags) {
  const unsigned passed = AT_EMPTY_PATH | (flags & AT_EACCESS);
  return failed(::syscall(SYS_faccessat2, fd, "", mode, passed) == 0 ? 0 : errno);
}

Outcome stat_self_fd_link(const Task& task, unsigned mask) {
  Outcome outcome;
  outcome.error = task.broker.stat_link_of(task.place.fd, mask, outcome.stat);
  return outcome;
}

Outcome read_self_fd_link(const Task& task) {
  Descriptor descriptor;
  if (const int error = describe(task, descriptor); error != 0) return failed(error);
  Outcome outcome;
  if (may_tell(task, descriptor)) {
    outcome.target = std::move(descriptor.name);
  } else {
    deny(outcome, descriptor.name, policy::kStat, nullptr);
  }
  return outcome;
}

bool is_link_to_self_fd(const Place& place) {
  return place.path == "/dev/stdin" || place.path == "/dev/stdout" || place.path == "/dev/stderr";
}

}  // namespace torno::files
