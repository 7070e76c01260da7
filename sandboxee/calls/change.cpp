// What is changed of a file: chmod, chown, utimensat, truncate, and their like; and statfs.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <utime.h>

#include "sandboxee/ask.h"
#include "sandboxee/calls/calls.h"
#include "sandboxee/message.h"
#include "sandboxee/user_memory.h"

namespace torno::calls {
namespace {

constexpr unsigned kFlags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
constexpr std::uint32_t kNoNanoseconds = UINT32_MAX;  // what no time has: EINVAL
constexpr long kMicrosecondsASecond = 1'000'000;
constexpr long kNanosecondsAMicrosecond = 1000;

struct At {
  int directory;
  raw::Word path;
  unsigned flags;
};

// Asks about a path, or about the descriptor itself.
long ask_at(Trap& trap, At at, torno_wire_Request& request) {
  if ((at.flags & ~kFlags) != 0) return -EINVAL;
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  const Empty empty = (at.flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused;
  const long error = find_target(*slot, at.directory, at.path, empty, target);
  return error != 0 ? error : ask(*slot, trap, request, target).result;
}

// For calls that take a descriptor, which one with O_PATH is not to them.
long ask_of(Trap& trap, int fd, torno_wire_Request& request) {
  Target target;
  if (const long error = find_descriptor(fd, target); error != 0) return error;
  const long own = raw::call(__NR_fcntl, fd, F_GETFL);
  if (own < 0 || (own & O_PATH) != 0) return -EBADF;
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  return ask(*slot, trap, request, target).result;
}

torno_wire_Request mode_request(unsigned mode, unsigned flags) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_chmod_tag;
  request.call.chmod.mode = mode;
  request.call.chmod.flags = flags;
  return request;
}

long chmod_at(Trap& trap, At at, unsigned mode) {
  torno_wire_Request request = mode_request(mode, at.flags);
  return ask_at(trap, at, request);
}

torno_wire_Request owner_request(unsigned user, unsigned group, unsigned flags) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_chown_tag;
  request.call.chown.user = user;
  request.call.chown.group = group;
  request.call.chown.flags = flags;
  return request;
}

long chown_at(Trap& trap, At at, unsigned user, unsigned group) {
  torno_wire_Request request = owner_request(user, group, at.flags);
  return ask_at(trap, at, request);
}

struct Times {
  struct timespec access{0, UTIME_NOW};
  struct timespec change{0, UTIME_NOW};
};

std::uint32_t nanoseconds(const struct timespec& time) {
  const bool is_part = time.tv_nsec >= 0 && time.tv_nsec <= UTIME_NOW;
  return is_part ? static_cast<std::uint32_t>(time.tv_nsec) : kNoNanoseconds;
}

torno_wire_Request times_request(const Times& times, unsigned flags) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_utimensat_tag;
  request.call.utimensat.flags = flags;
  request.call.utimensat.atime_sec = times.access.tv_sec;
  request.call.utimensat.atime_nsec = nanoseconds(times.access);
  request.call.utimensat.mtime_sec = times.change.tv_sec;
  request.call.utimensat.mtime_nsec = nanoseconds(times.change);
  return request;
}

// Without a path the descriptor is meant.
long set_times(Trap& trap, At at, const Times& times) {
  if (at.path != 0 || at.directory == AT_FDCWD) {
    torno_wire_Request request = times_request(times, at.flags);
    return ask_at(trap, at, request);
  }
  if (at.flags != 0) return -EINVAL;
  torno_wire_Request request = times_request(times, AT_EMPTY_PATH);
  return ask_of(trap, at.directory, request);
}

// Two timeval at `address`, as utimes has them.
long read_timevals(raw::Word address, Times& times) {
  if (address == 0) return 0;
  struct timeval given[2];
  if (!copy_in(given, address, sizeof given)) return -EFAULT;
  for (const struct timeval& time : given) {
    if (time.tv_usec < 0 || time.tv_usec >= kMicrosecondsASecond) return -EINVAL;
  }
  times.access = {given[0].tv_sec, given[0].tv_usec * kNanosecondsAMicrosecond};
  times.change = {given[1].tv_sec, given[1].tv_usec * kNanosecondsAMicrosecond};
  return 0;
}

struct statfs to_statfs(wire::Bytes message) {
  struct statfs to{};
  wire::FieldReader reader(message);
  while (reader.next()) {
    const std::uint64_t value = reader.value();
    const long word = static_cast<long>(value);
    switch (reader.field()) {
      case torno_wire_StatfsResult_type_tag:
        to.f_type = word;
        break;
      case torno_wire_StatfsResult_bsize_tag:
        to.f_bsize = word;
        break;
      case torno_wire_StatfsResult_blocks_tag:
        to.f_blocks = value;
        break;
      case torno_wire_StatfsResult_bfree_tag:
        to.f_bfree = value;
        break;
      case torno_wire_StatfsResult_bavail_tag:
        to.f_bavail = value;
        break;
      case torno_wire_StatfsResult_files_tag:
        to.f_files = value;
        break;
      case torno_wire_StatfsResult_ffree_tag:
        to.f_ffree = value;
        break;
      case torno_wire_StatfsResult_fsid_tag:
        __builtin_memcpy(&to.f_fsid, &value, sizeof value);
        break;
      case torno_wire_StatfsResult_namelen_tag:
        to.f_namelen = word;
        break;
      case torno_wire_StatfsResult_frsize_tag:
        to.f_frsize = word;
        break;
      case torno_wire_StatfsResult_flags_tag:
        to.f_flags = word;
        break;
      default:
        break;
    }
  }
  return to;
}

}  // namespace

long chmod(Trap& trap) {
  return chmod_at(trap, {AT_FDCWD, trap.args[0], 0}, trap.as_unsigned(1));
}

long fchmod(Trap& trap) {
  torno_wire_Request request = mode_request(trap.as_unsigned(1), AT_EMPTY_PATH);
  return ask_of(trap, trap.as_int(0), request);
}

// The older call has three arguments: libc's flags never reach it.
long fchmodat(Trap& trap) {
  return chmod_at(trap, {trap.as_int(0), trap.args[1], 0}, trap.as_unsigned(2));
}

long fchmodat2(Trap& trap) {
  return chmod_at(trap, {trap.as_int(0), trap.args[1], trap.as_unsigned(3)}, trap.as_unsigned(2));
}

long chown(Trap& trap) {
  return chown_at(trap, {AT_FDCWD, trap.args[0], 0}, trap.as_unsigned(1), trap.as_unsigned(2));
}

long lchown(Trap& trap) {
  return chown_at(trap, {AT_FDCWD, trap.args[0], AT_SYMLINK_NOFOLLOW}, trap.as_unsigned(1),
                  trap.as_unsigned(2));
}

long fchown(Trap& trap) {
  torno_wire_Request request =
      owner_request(trap.as_unsigned(1), trap.as_unsigned(2), AT_EMPTY_PATH);
  return ask_of(trap, trap.as_int(0), request);
}

long fchownat(Trap& trap) {
  return chown_at(trap, {trap.as_int(0), trap.args[1], trap.as_unsigned(4)}, trap.as_unsigned(2),
                  trap.as_unsigned(3));
}

long utime(Trap& trap) {
  Times times;
  if (trap.args[1] != 0) {
    struct utimbuf given;
    if (!copy_in(&given, trap.args[1], sizeof given)) return -EFAULT;
    times.access = {given.actime, 0};
    times.change = {given.modtime, 0};
  }
  return set_times(trap, {AT_FDCWD, trap.args[0], 0}, times);
}

long utimes(Trap& trap) {
  Times times;
  const long error = read_timevals(trap.args[1], times);
  return error != 0 ? error : set_times(trap, {AT_FDCWD, trap.args[0], 0}, times);
}

long futimesat(Trap& trap) {
  Times times;
  const long error = read_timevals(trap.args[2], times);
  return error != 0 ? error : set_times(trap, {trap.as_int(0), trap.args[1], 0}, times);
}

long utimensat(Trap& trap) {
  Times times;
  if (trap.args[2] != 0 && !copy_in(&times, trap.args[2], sizeof times)) return -EFAULT;
  return set_times(trap, {trap.as_int(0), trap.args[1], trap.as_unsigned(3)}, times);
}

long truncate(Trap& trap) {
  const auto size = static_cast<std::int64_t>(trap.args[1]);
  if (size < 0) return -EINVAL;
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_truncate_tag;
  request.call.truncate.size = static_cast<std::uint64_t>(size);
  return ask_at(trap, {AT_FDCWD, trap.args[0], 0}, request);
}

long statfs(Trap& trap) {
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  const long error = find_target(*slot, AT_FDCWD, trap.args[0], Empty::kRefused, target);
  if (error != 0) return error;
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_statfs_tag;
  const long result = ask(*slot, trap, request, target).result;
  if (result < 0) return result;
  const struct statfs found = to_statfs(slot->reply.statfs);
  return copy_out(trap.args[1], &found, sizeof found) ? 0 : -EFAULT;
}

}  // namespace torno::calls
