// stat, lstat, newfstatat, statx.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <span>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

constexpr unsigned kStatFlags =
    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;

struct timespec time(const struct statx_timestamp& from) {
  return {from.tv_sec, from.tv_nsec};
}

struct stat to_stat(const struct statx& from) {
  struct stat to{};
  to.st_dev = makedev(from.stx_dev_major, from.stx_dev_minor);
  to.st_ino = from.stx_ino;
  to.st_nlink = from.stx_nlink;
  to.st_mode = from.stx_mode;
  to.st_uid = from.stx_uid;
  to.st_gid = from.stx_gid;
  to.st_rdev = makedev(from.stx_rdev_major, from.stx_rdev_minor);
  to.st_size = static_cast<off_t>(from.stx_size);
  to.st_blksize = from.stx_blksize;
  to.st_blocks = static_cast<blkcnt_t>(from.stx_blocks);
  to.st_atim = time(from.stx_atime);
  to.st_mtim = time(from.stx_mtime);
  to.st_ctim = time(from.stx_ctime);
  return to;
}

template <typename Result>
long give(const Call& call, std::uint64_t buffer, const Result& result) {
  return -call.target.write(buffer, std::as_bytes(std::span(&result, 1)));
}

long read_at(Call& call, Texts& texts, int directory, std::uint64_t path, unsigned flags,
             unsigned mask) {
  call.request.flags = flags;
  call.request.mask = mask;
  return find_place(call, texts, directory, path,
                    (flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused);
}

}  // namespace

long read_stat(Call& call, Texts& texts) {
  return read_at(call, texts, AT_FDCWD, call.word(0), 0, STATX_BASIC_STATS);
}

long read_lstat(Call& call, Texts& texts) {
  return read_at(call, texts, AT_FDCWD, call.word(0), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS);
}

long read_newfstatat(Call& call, Texts& texts) {
  unsigned flags = call.as_unsigned(3);
  if ((flags & ~kStatFlags) != 0) return -EINVAL;
  // Which only statx refuses.
  if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) flags &= ~unsigned{AT_STATX_SYNC_TYPE};
  return read_at(call, texts, call.as_int(0), call.word(1), flags, STATX_BASIC_STATS);
}

long read_statx(Call& call, Texts& texts) {
  const unsigned flags = call.as_unsigned(2);
  const unsigned mask = call.as_unsigned(3);
  if ((mask & STATX__RESERVED) != 0) return -EINVAL;
  if ((flags & ~kStatFlags) != 0 || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) {
    return -EINVAL;
  }
  return read_at(call, texts, call.as_int(0), call.word(1), flags, mask);
}

long give_stat(const Call& call, const files::Outcome& outcome) {
  return give(call, call.word(1), to_stat(outcome.stat));
}

long give_newfstatat(const Call& call, const files::Outcome& outcome) {
  return give(call, call.word(2), to_stat(outcome.stat));
}

long give_statx(const Call& call, const files::Outcome& outcome) {
  return give(call, call.word(4), outcome.stat);
}

}  // namespace torno::notify
