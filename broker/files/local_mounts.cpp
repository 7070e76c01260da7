#include "broker/files/local_mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

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

LocalMount local_mount(std::string_view mountinfo_line) {
  constexpr std::string_view kSeparator = " - ";  // the optional fields end here
  const std::size_t at = mountinfo_line.find(kSeparator);
  if (at == std::string_view::npos) return {};
  const std::string_view behind = mountinfo_line.substr(at + kSeparator.size());
  const std::string_view type = behind.substr(0, behind.find(' '));
  if (std::ranges::find(kLocalTypes, type) == kLocalTypes.end()) return {};
  LocalMount mount;
  std::from_chars(mountinfo_line.data(), mountinfo_line.data() + mountinfo_line.size(), mount.id);
  mount.overlay = type == "overlay";
  return mount;
}

namespace {

// mountinfo has no line for the mount that a chroot's root lies on, where that root is none itself.
LocalMount root_mount() {
  constexpr std::array<long, 8> kLocalMagic = {
      BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
      RAMFS_MAGIC,       SQUASHFS_MAGIC,   TMPFS_MAGIC,      XFS_SUPER_MAGIC};
  struct statfs system{};
  struct statx root{};
  if (::statfs("/", &system) != 0 || ::statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &root) != 0) return {};
  if (std::ranges::find(kLocalMagic, long{system.f_type}) == kLocalMagic.end()) return {};
  return {root.stx_mnt_id, system.f_type == OVERLAYFS_SUPER_MAGIC};
}

}  // namespace

Result<LocalMounts> LocalMounts::read() {
  std::ifstream mountinfo("/proc/self/mountinfo");
  if (!mountinfo) {
    return std::unexpected(Error{"cannot read /proc/self/mountinfo; mount /proc for the broker"});
  }
  LocalMounts mounts;
  const auto add = [&mounts](const LocalMount& mount) {
    if (mount.id != 0) mounts.ids_.push_back(mount.id);
    if (mount.overlay) mounts.overlays_.push_back(mount.id);
  };
  add(root_mount());
  for (std::string line; std::getline(mountinfo, line);) add(local_mount(line));
  std::ranges::sort(mounts.ids_);
  std::ranges::sort(mounts.overlays_);
  return mounts;
}

void LocalMounts::add(std::uint64_t mount_id) {
  ids_.insert(std::ranges::upper_bound(ids_, mount_id), mount_id);
}

bool LocalMounts::contains(std::uint64_t mount_id) const {
  return std::ranges::binary_search(ids_, mount_id);
}

bool LocalMounts::writes_at_once(std::uint64_t mount_id) const {
  return !std::ranges::binary_search(overlays_, mount_id);
}

}  // namespace torno::files
