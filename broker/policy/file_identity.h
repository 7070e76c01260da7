// FileIdentity: a file on a disk, under whatever name.
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace torno::policy {

struct FileIdentity {
  // What has to be asked of statx(2).
  static constexpr unsigned kMask = STATX_INO | STATX_BTIME;

  static FileIdentity of(const struct statx& file) {
    FileIdentity identity{file.stx_dev_major, file.stx_dev_minor, file.stx_ino};
    if ((file.stx_mask & STATX_BTIME) != 0) {
      identity.born = file.stx_btime.tv_sec;
      identity.born_ns = file.stx_btime.tv_nsec;
    }
    return identity;
  }

  bool operator==(const FileIdentity&) const = default;

  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t inode = 0;
  // The number of a file that is removed is given to another one.
  std::int64_t born = 0;
  std::uint32_t born_ns = 0;
};

}  // namespace torno::policy
