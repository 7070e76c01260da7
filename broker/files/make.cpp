// mkdir, mkdirat, mknod, mknodat.
#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/deny.h"
#include "broker/files/entry.h"

namespace torno::files {

namespace {

constexpr std::uint32_t kPermissionBits = 0777;
constexpr std::uint32_t kPrivilegedModeBits = 07000;  // suid, sgid, sticky: never made

// As the kernel judges the type, but for devices and sockets, which nobody makes here.
int check_type(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFIFO:
      return 0;
    case S_IFCHR:
    case S_IFBLK:
    case S_IFSOCK:
    case S_IFDIR:
      return EPERM;
    default:
      return EINVAL;
  }
}

}  // namespace

Outcome make_directory(const Task& task, const MakeRequest& request) {
  Outcome outcome;
  Entry entry;
  if (!find_entry(task, Expected::kMissing, entry, outcome)) return outcome;
  if ((request.mode & S_ISVTX) != 0) return failed(EPERM);
  if (task.wait == Wait::kNever) return wait_needed();
  const mode_t mode = request.mode & kPermissionBits;
  return failed(::mkdirat(entry.directory.fd.get(), entry.name.c_str(), mode) == 0 ? 0 : errno);
}

Outcome make_node(const Task& task, const MakeRequest& request) {
  if (const int error = check_type(request.mode); error != 0) return failed(error);
  Outcome outcome;
  Entry entry;
  if (!find_entry(task, Expected::kMissing, entry, outcome)) return outcome;
  if ((request.mode & kPrivilegedModeBits) != 0) return failed(EPERM);
  if (is_kept_name(task, entry, outcome)) return outcome;
  if (task.wait == Wait::kNever) return wait_needed();
  const mode_t mode = request.mode & (S_IFMT | kPermissionBits);
  return failed(::mknodat(entry.directory.fd.get(), entry.name.c_str(), mode, 0) == 0 ? 0 : errno);
}

}  // namespace torno::files
