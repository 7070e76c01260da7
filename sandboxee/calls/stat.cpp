// stat, lstat, newfstatat, statx.
#include <fcntl.h>
#include <sys/stat.h>

#include "sandboxee/ask.h"
#include "sandboxee/calls/calls.h"
#include "sandboxee/message.h"
#include "sandboxee/user_memory.h"

namespace torno::calls {
namespace {

constexpr unsigned kStatFlags =
    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;

long ask_stat(Slot& slot, Trap& trap, int directory, raw::Word path, unsigned flags, unsigned mask,
              torno_wire_StatResult& stat) {
  Target target;
  const Empty empty = (flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused;
  const long error = find_target(slot, directory, path, empty, target);
  if (error != 0) return error;
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_stat_tag;
  request.call.stat.flags = flags;
  request.call.stat.mask = mask;
  const long result = ask(slot, trap, request, target).result;
  return result >= 0 && !wire::decode_stat(slot.reply.stat, stat) ? -EIO : result;
}

std::uint64_t device(std::uint32_t major, std::uint32_t minor) {
  return (minor & 0xffU) | std::uint64_t{major} << 8 | (std::uint64_t{minor} & ~0xffU) << 12;
}

struct timespec time(std::int64_t seconds, std::uint32_t nanoseconds) {
  return {seconds, nanoseconds};
}

struct statx_timestamp timestamp(std::int64_t seconds, std::uint32_t nanoseconds) {
  struct statx_timestamp result{};
  result.tv_sec = seconds;
  result.tv_nsec = nanoseconds;
  return result;
}

struct stat to_stat(const torno_wire_StatResult& from) {
  struct stat to{};
  to.st_dev = device(from.dev_major, from.dev_minor);
  to.st_ino = from.ino;
  to.st_nlink = from.nlink;
  to.st_mode = from.mode;
  to.st_uid = from.uid;
  to.st_gid = from.gid;
  to.st_rdev = device(from.rdev_major, from.rdev_minor);
  to.st_size = static_cast<off_t>(from.size);
  to.st_blksize = from.blksize;
  to.st_blocks = static_cast<blkcnt_t>(from.blocks);
  to.st_atim = time(from.atime_sec, from.atime_nsec);
  to.st_mtim = time(from.mtime_sec, from.mtime_nsec);
  to.st_ctim = time(from.ctime_sec, from.ctime_nsec);
  return to;
}

struct statx to_statx(const torno_wire_StatResult& from) {
  struct statx to{};
  to.stx_mask = from.mask;
  to.stx_blksize = from.blksize;
  to.stx_attributes = from.attributes;
  to.stx_nlink = from.nlink;
  to.stx_uid = from.uid;
  to.stx_gid = from.gid;
  to.stx_mode = static_cast<std::uint16_t>(from.mode);
  to.stx_ino = from.ino;
  to.stx_size = from.size;
  to.stx_blocks = from.blocks;
  to.stx_attributes_mask = from.attributes_mask;
  to.stx_atime = timestamp(from.atime_sec, from.atime_nsec);
  to.stx_btime = timestamp(from.btime_sec, from.btime_nsec);
  to.stx_ctime = timestamp(from.ctime_sec, from.ctime_nsec);
  to.stx_mtime = timestamp(from.mtime_sec, from.mtime_nsec);
  to.stx_rdev_major = from.rdev_major;
  to.stx_rdev_minor = from.rdev_minor;
  to.stx_dev_major = from.dev_major;
  to.stx_dev_minor = from.dev_minor;
  to.stx_mnt_id = from.mnt_id;
  return to;
}

template <typename Result>
long give(raw::Word buffer, const Result& result) {
  return copy_out(buffer, &result, sizeof result) ? 0 : -EFAULT;
}

long stat_at(Trap& trap, int directory, raw::Word path, raw::Word buffer, unsigned flags) {
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  torno_wire_StatResult result;
  const long error = ask_stat(*slot, trap, directory, path, flags, STATX_BASIC_STATS, result);
  return error != 0 ? error : give(buffer, to_stat(result));
}

}  // namespace

long stat(Trap& trap) {
  return stat_at(trap, AT_FDCWD, trap.args[0], trap.args[1], 0);
}

long lstat(Trap& trap) {
  return stat_at(trap, AT_FDCWD, trap.args[0], trap.args[1], AT_SYMLINK_NOFOLLOW);
}

long newfstatat(Trap& trap) {
  const int directory = trap.as_int(0);
  const unsigned flags = trap.as_unsigned(3);
  if ((flags & ~kStatFlags) != 0) return -EINVAL;
  // glibc's fstat: a descriptor the program holds, which the filter cannot see to be one.
  if ((flags & AT_EMPTY_PATH) != 0 && directory != AT_FDCWD && path_length(trap.args[1]) == 0) {
    return raw::call(__NR_fstat, directory, trap.args[2]);
  }
  return stat_at(trap, directory, trap.args[1], trap.args[2], flags);
}

long statx(Trap& trap) {
  const unsigned flags = trap.as_unsigned(2);
  const unsigned mask = trap.as_unsigned(3);
  if ((mask & STATX__RESERVED) != 0) return -EINVAL;
  if ((flags & ~kStatFlags) != 0 || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) {
    return -EINVAL;
  }
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  torno_wire_StatResult result;
  const long error = ask_stat(*slot, trap, trap.as_int(0), trap.args[1], flags, mask, result);
  return error != 0 ? error : give(trap.args[4], to_statx(result));
}

}  // namespace torno::calls
