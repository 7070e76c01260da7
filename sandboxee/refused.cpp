#include "sandboxee/refused.h"

#include "sandboxee/syscall_name.h"

namespace torno {
namespace {

// EACCES, as the kernel says where a file or an address is what stands in the way;
// docs/syscalls.md names the same calls.
constexpr int kNamesPathOrAddress[] = {
    __NR_execve,
    __NR_execveat,
    __NR_chdir,
    __NR_chroot,
    __NR_pivot_root,
    __NR_mount,
    __NR_umount2,
    __NR_mount_setattr,
    __NR_move_mount,
    __NR_open_tree,
    __NR_fspick,
    __NR_swapon,
    __NR_swapoff,
    __NR_acct,
    __NR_uselib,
    __NR_quotactl,
    __NR_mq_open,
    __NR_mq_unlink,
    __NR_bind,
    __NR_inotify_add_watch,
    __NR_fanotify_mark,
    __NR_fanotify_init,
    __NR_sendto,
    __NR_name_to_handle_at,
    __NR_open_by_handle_at,
};

// As of a file system without them: cp -p and sed -i then do what they can.
constexpr int kExtendedAttributes[] = {
    __NR_setxattr,  __NR_lsetxattr,  __NR_fsetxattr,   __NR_getxattr,     __NR_lgetxattr,
    __NR_listxattr, __NR_llistxattr, __NR_removexattr, __NR_lremovexattr, __NR_fremovexattr,
};

template <std::size_t N>
bool is_among(const int (&numbers)[N], int number) {
  for (const int known : numbers) {
    if (known == number) return true;
  }
  return false;
}

}  // namespace

long refuse(Trap& trap) {
  if (is_among(kNamesPathOrAddress, trap.number)) return trap.refuse(EACCES);
  if (is_among(kExtendedAttributes, trap.number)) return trap.refuse(EOPNOTSUPP);
  return trap.refuse(syscall_name(trap.number) == nullptr ? ENOSYS : EPERM);
}

}  // namespace torno
