#include "broker/launch/root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace torno::launch {
namespace {

constexpr const char* kProc = "/proc";

// More than the longest chain of scripts and links needs.
constexpr const char* kSize = "4M";
constexpr const char* kInodes = "8192";

// Beneath the new root: relative.
const char* below(const std::string& path) {
  return path.c_str() + 1;
}

// What the tree was made of is shared with the launcher's namespace no more: neither does what is
// mounted here appear there, nor does what is unmounted here vanish.
bool separate(std::uint64_t attributes) {
  mount_attr wanted{};
  wanted.attr_set = attributes;
  wanted.propagation = MS_PRIVATE;
  return ::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &wanted, sizeof wanted) == 0;
}

bool hold_still(int root) {
  mount_attr wanted{};
  wanted.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  return ::mount_setattr(root, "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) == 0;
}

int make_tmpfs(const char* mode, const char* size, const char* inodes, unsigned attributes) {
  const int context = ::fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int made = -1;
  if (::fsconfig(context, FSCONFIG_SET_STRING, "mode", mode, 0) == 0 &&
      ::fsconfig(context, FSCONFIG_SET_STRING, "size", size, 0) == 0 &&
      ::fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0) == 0 &&
      ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
    made = ::fsmount(context, FSMOUNT_CLOEXEC, attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  }
  const int error = errno;
  ::close(context);
  errno = error;
  return made;
}

bool attach(int mount, int directory, const char* path) {
  return ::move_mount(mount, "", directory, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

// A mount of the file alone, over an empty one.
bool place_file(int root, const RootEntry& entry) {
  if (::mknodat(root, below(entry.path), S_IFREG | 0444, 0) != 0) return false;
  const int file = ::open_tree(AT_FDCWD, entry.path.c_str(),
                               OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (file < 0) return false;
  struct stat status{};
  bool placed = ::fstat(file, &status) == 0;
  if (placed && (status.st_dev != entry.device || status.st_ino != entry.inode)) {
    errno = ESTALE;  // somebody put another one there
    placed = false;
  }
  placed = placed && attach(file, root, below(entry.path));
  const int error = errno;
  ::close(file);
  errno = error;
  return placed;
}

bool place(int root, const RootEntry& entry) {
  switch (entry.kind) {
    case RootEntry::Kind::kFolder:
      return ::mkdirat(root, below(entry.path), 0755) == 0;
    case RootEntry::Kind::kLink:
      return ::symlinkat(entry.text.c_str(), root, below(entry.path)) == 0;
    case RootEntry::Kind::kFile:
      return place_file(root, entry);
  }
  errno = EINVAL;
  return false;
}

// Beneath `root`, or AT_FDCWD for the tree as it is.
bool make_temporaries(const RootPlan& plan, int root, std::span<int> folders) {
  for (std::size_t i = 0; i < plan.temporaries.size(); ++i) {
    const RootTemporary& wanted = plan.temporaries[i];
    folders[i] = make_tmpfs("0700", wanted.size.c_str(), wanted.inodes.c_str(), MOUNT_ATTR_NOEXEC);
    const char* path = root == AT_FDCWD ? wanted.path.c_str() : below(wanted.path);
    if (folders[i] < 0 || !attach(folders[i], root, path)) return false;
  }
  return true;
}

// The old root is stacked upon the new one for a moment, and then is nowhere: pivot_root(2).
bool change_to(int root) {
  return ::fchdir(root) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 &&
         ::umount2(".", MNT_DETACH) == 0;
}

int build_empty(const RootPlan& plan, int proc, std::span<int> folders) {
  if (!separate(0)) return errno;
  const int root = make_tmpfs("0755", kSize, kInodes, 0);
  if (root < 0) return errno;
  if (!attach(root, AT_FDCWD, "/")) return errno;
  for (const RootEntry& entry : plan.entries) {
    if (!place(root, entry)) return errno;
  }
  if (proc >= 0 && (::mkdirat(root, kProc + 1, 0555) != 0 || !attach(proc, root, kProc + 1))) {
    return errno;
  }
  if (!hold_still(root) || !make_temporaries(plan, root, folders) || !change_to(root) ||
      ::fchdir(plan.cwd.get()) != 0) {
    return errno;
  }
  ::close(root);
  return 0;
}

// Nobody's working directory has to change.
int build_on_tree(const RootPlan& plan, int proc, std::span<int> folders) {
  if (!separate(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)) return errno;
  if (proc >= 0 && !attach(proc, AT_FDCWD, kProc)) return errno;
  if (!make_temporaries(plan, AT_FDCWD, folders)) return errno;
  return 0;
}

}  // namespace

int build_root(const RootPlan& plan, int proc, std::span<int> folders) {
  ::umask(0);
  return plan.keeps_tree ? build_on_tree(plan, proc, folders) : build_empty(plan, proc, folders);
}

}  // namespace torno::launch
