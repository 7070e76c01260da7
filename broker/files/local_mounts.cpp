#include "broker/files/local_mounts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string>

namespace torno::files {

namespace {

// File systems of this kernel alone, answering from memory or a disk of this machine.
constexpr std::array<std::string_view, 17> kLocalTypes = {
    "bcachefs", "btrfs",   "devpts", "devtmpfs", "erofs", "ext2",  "ext3", "ext4", "f2fs",
    "iso9660",  "overlay", "ramfs",  "squashfs", "sysfs", "tmpfs", "vfat", "xfs"};

}  // namespace

std::uint64_t local_mount_id(std::string_view mountinfo_line) {
  constexpr std::string_view kSeparator = " - ";  // the optional fields end here
  const std::size_t at = mountinfo_line.find(kSeparator);
  if (at == std::string_view::npos) return 0;
  const std::string_view behind = mountinfo_line.substr(at + kSeparator.size());
  const std::string_view type = behind.substr(0, behind.find(' '));
  if (std::ranges::find(kLocalTypes, type) == kLocalTypes.end()) return 0;
  std::uint64_t id = 0;
  std::from_chars(mountinfo_line.data(), mountinfo_line.data() + mountinfo_line.size(), id);
  return id;
}

Result<LocalMounts> LocalMounts::read() {
  std::ifstream mountinfo("/proc/self/mountinfo");
  if (!mountinfo) {
    return std::unexpected(Error{"cannot read /proc/self/mountinfo; mount /proc for the broker"});
  }
  LocalMounts mounts;
  for (std::string line; std::getline(mountinfo, line);) {
    if (const std::uint64_t id = local_mount_id(line); id != 0) mounts.ids_.push_back(id);
  }
  std::ranges::sort(mounts.ids_);
  return mounts;
}

bool LocalMounts::contains(std::uint64_t mount_id) const {
  return std::ranges::binary_search(ids_, mount_id);
}

}  // namespace torno::files
