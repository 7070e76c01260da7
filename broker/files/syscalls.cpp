#include "broker/files/syscalls.h"

#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

namespace torno::files {

std::expected<Fd, int> openat2(int directory, const char* path, std::uint64_t flags,
                               std::uint64_t mode, std::uint64_t resolve) {
  struct open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
  if (fd < 0) return std::unexpected(errno);
  return Fd(static_cast<int>(fd));
}

int statx_fd(int fd, unsigned flags, unsigned mask, struct statx& stat) {
  return ::statx(fd, "", AT_EMPTY_PATH | static_cast<int>(flags), mask, &stat) == 0 ? 0 : errno;
}

int identify(int fd, struct statx& stat) {
  return statx_fd(fd, AT_STATX_DONT_SYNC, kIdentityMask, stat);
}

bool same_object(const struct statx& a, const struct statx& b) {
  return a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor &&
         a.stx_ino == b.stx_ino;
}

bool is_procfs(int fd, const struct statx& stat) {
  // procfs has no block device behind it, and what has none is major 0.
  if (stat.stx_dev_major != 0) return false;
  struct statfs fs{};
  // What cannot say what it is counts as the worst it could be.
  return ::fstatfs(fd, &fs) != 0 || fs.f_type == PROC_SUPER_MAGIC;
}

}  // namespace torno::files
