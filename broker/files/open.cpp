// open, openat, openat2, creat.
//
// Of openat2's `resolve`: RESOLVE_NO_SYMLINKS, NO_MAGICLINKS, BENEATH, IN_ROOT and CACHED mean
// what they mean to the kernel, seen from the client's directory. IN_ROOT needs that directory (or
// the cwd) with the request even when the path is absolute. RESOLVE_NO_XDEV is EINVAL: the broker
// walks from its own root, and cannot say which mounts the client's walk would have crossed.
#include <cerrno>
#include <string_view>

#include "broker/files/call.h"
#include "broker/files/create.h"
#include "broker/files/open_known.h"
#include "broker/files/reach.h"
#include "broker/files/self_fd.h"
#include "broker/files/special_file.h"
#include "broker/files/sticky.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

constexpr std::uint64_t kTmpfileBit = O_TMPFILE & ~O_DIRECTORY;
constexpr std::uint64_t kLargeFile = 0100000;  // O_LARGEFILE, which is 0 in 64-bit headers
constexpr std::uint64_t kPathFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr std::uint64_t kFlags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |
                                 O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_NOATIME |
                                 kPathFlags | kTmpfileBit;
constexpr std::uint64_t kResolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH |
                                   RESOLVE_IN_ROOT | RESOLVE_CACHED;
constexpr std::uint32_t kModeBits = 07777;
constexpr std::uint32_t kPrivilegedModeBits = 07000;  // suid, sgid, sticky: never made

bool makes_nameless(std::uint64_t flags) {
  return (flags & kTmpfileBit) != 0;
}

// As openat2 checks them. 0 or an errno value.
int check(const OpenRequest& request) {
  const std::uint64_t flags = request.flags;
  const std::uint64_t access = flags & O_ACCMODE;
  const std::uint64_t scoped = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
  if ((flags & ~kFlags) != 0 || access == O_ACCMODE) return EINVAL;
  if ((request.resolve & ~kResolve) != 0 || (request.resolve & scoped) == scoped) return EINVAL;
  if ((flags & O_PATH) != 0 && (flags & ~kPathFlags) != 0) return EINVAL;
  if (makes_nameless(flags)) {
    const bool valid = (flags & O_DIRECTORY) != 0 && (flags & O_CREAT) == 0 && access != O_RDONLY;
    if (!valid) return EINVAL;
  }
  if ((flags & O_CREAT) != 0 && (flags & O_DIRECTORY) != 0) return EINVAL;
  const bool makes = (flags & O_CREAT) != 0 || makes_nameless(flags);
  if (makes && (request.mode & ~kModeBits) != 0) return EINVAL;
  if (makes && (request.mode & kPrivilegedModeBits) != 0) return EPERM;
  const bool changes = makes || (flags & O_TRUNC) != 0;
  if (changes && (request.resolve & RESOLVE_CACHED) != 0) return EAGAIN;
  return 0;
}

policy::Permissions wanted_by(std::uint64_t flags) {
  if ((flags & O_PATH) != 0) return policy::kStat;
  policy::Permissions wanted = policy::kNone;
  const std::uint64_t access = flags & O_ACCMODE;
  if (access == O_RDONLY || access == O_RDWR) wanted |= policy::kRead;
  if (access == O_WRONLY || access == O_RDWR || (flags & O_TRUNC) != 0) wanted |= policy::kWrite;
  const std::uint64_t exclusive = O_CREAT | O_EXCL;
  if ((flags & exclusive) == exclusive || makes_nameless(flags)) wanted |= policy::kCreate;
  return wanted;
}

Aim aim_of(const OpenRequest& request) {
  Aim aim;
  const std::uint64_t flags = request.flags;
  const std::uint64_t exclusive = O_CREAT | O_EXCL;
  aim.wanted = wanted_by(flags);
  aim.follow = (flags & O_NOFOLLOW) == 0 && (flags & exclusive) != exclusive;
  aim.create = (flags & O_CREAT) != 0;
  aim.children = makes_nameless(flags);
  aim.resolve = request.resolve & ~std::uint64_t{RESOLVE_CACHED};
  return aim;
}

// The root, "." or "..", which are there already; a name with a slash behind it can only be made.
bool ends_in_no_name(std::string_view path) {
  path = path.substr(0, path.find_last_not_of('/') + 1);
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return last.empty() || last == "." || last == "..";
}

Step end(Outcome& outcome, int error) {
  outcome = failed(error);
  return Step::kDone;
}

// Opens what is there.
Step open_existing(const Task& task, const Aim& aim, const OpenRequest& request,
                   const Target& target, Pin& pin, Outcome& outcome) {
  const std::uint64_t flags = request.flags;
  const bool wants_directory = (flags & O_DIRECTORY) != 0;
  if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return end(outcome, EEXIST);
  if (wants_directory && !pin.is(S_IFDIR)) return end(outcome, ENOTDIR);
  if ((flags & O_PATH) != 0) {
    outcome = Outcome{};
    outcome.fd = std::move(pin.fd);
    return Step::kDone;
  }
  if (pin.is(S_IFLNK)) return end(outcome, ELOOP);
  if (aim.create && pin.is(S_IFDIR)) return end(outcome, EISDIR);
  if (makes_nameless(flags)) return create_nameless(task, request, pin, outcome);
  if (const policy::Permissions type = type_permission(pin); type != policy::kNone) {
    const auto wanted = static_cast<policy::Permissions>(aim.wanted | type);
    const policy::Verdict verdict = task.policy.decide_file(target.path.view(), wanted);
    if (!verdict.allowed) {
      deny(outcome, target.path.view(), wanted, verdict.rule);
      return Step::kDenied;
    }
  }
  if (aim.create && !may_reuse(task, target.path, pin)) return end(outcome, EACCES);
  if (open_pinned(task, pin, flags, outcome) == Opened::kWaitNeeded) outcome = wait_needed();
  return Step::kDone;
}

Step open_at(const Task& task, const Aim& aim, const OpenRequest& request, const Target& target,
             Outcome& outcome) {
  if (aim.create && target.directory && verdict_on(task, aim, target.path, aim.wanted).allowed) {
    // As the kernel, whatever is there.
    const bool exclusive = (request.flags & O_EXCL) != 0 && ends_in_no_name(task.place.path);
    return end(outcome, exclusive ? EEXIST : EISDIR);
  }
  if (open_known(task, aim, request, target, outcome)) return Step::kDone;
  Pin pin;
  switch (vet(task, aim, target, pin, outcome)) {
    case Vetted::kPinned:
      return open_existing(task, aim, request, target, pin, outcome);
    case Vetted::kMissing:
      return aim.create ? create_file(task, aim, request, target, outcome) : Step::kDone;
    case Vetted::kDenied:
      return Step::kDenied;
    case Vetted::kChanged:
      return Step::kChanged;
    case Vetted::kFailed:
      return Step::kDone;
    case Vetted::kWaitNeeded:
      outcome = wait_needed();
      return Step::kDone;
  }
  return end(outcome, EACCES);
}

}  // namespace

Outcome open_path(const Task& task, const OpenRequest& request, const struct statx* same_as) {
  Aim aim = aim_of(request);
  aim.same_as = same_as;
  const bool cached_only = (request.resolve & RESOLVE_CACHED) != 0;
  const Task now{task.broker, task.policy, request.place, cached_only ? Wait::kNever : task.wait};
  Outcome outcome = reach(now, aim, [&](const Target& target, Outcome& result) {
    return open_at(now, aim, request, target, result);
  });
  if (cached_only && outcome.would_block) outcome = failed(EAGAIN);
  return outcome;
}

Outcome open_file(const Task& task, const OpenRequest& given) {
  OpenRequest request = given;
  request.flags &= ~kLargeFile;
  if (const int error = check(request); error != 0) return failed(error);
  // openat2 takes a mode only with these.
  if ((request.flags & O_CREAT) == 0 && !makes_nameless(request.flags)) request.mode = 0;
  if (request.place.base == Place::Base::kSelfFd) return open_self_fd(task, request);
  return open_path(task, request, nullptr);
}

}  // namespace torno::files
