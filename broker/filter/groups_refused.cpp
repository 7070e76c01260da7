// What nobody does for a sandboxed program. A trapped refusal is named to the callback of
// torno_on_trap; one by errno is not.
#include <seccomp.h>

#include <cerrno>

#include "broker/filter/groups.h"

namespace torno::filter {
namespace {

Group refused(std::string_view title, std::string_view reason, std::string_view calls) {
  return {title, Kind::kRefused, SCMP_ACT_TRAP, reason, words(calls)};
}

Group missing(std::string_view title, std::string_view reason, std::string_view calls) {
  return {title, Kind::kRefused, SCMP_ACT_ERRNO(ENOSYS), reason, words(calls)};
}

Group spare(std::string_view title, std::string_view reason, std::string_view calls) {
  return {title, Kind::kRefused, SCMP_ACT_TRAP, reason, words(calls), true};
}

}  // namespace

std::vector<Group> refused_groups() {
  return {
      refused("programs", "a new program image would lose the handler and run unmediated code",
              "execve execveat uselib"),

      refused("paths", "names a path, and the broker does not perform this call",
              "chdir setxattr lsetxattr getxattr lgetxattr listxattr llistxattr removexattr "
              "lremovexattr inotify_add_watch fanotify_init fanotify_mark name_to_handle_at "
              "open_by_handle_at"),

      refused("writing through a read-only descriptor",
              "these change a file whatever its descriptor was opened for",
              "fsetxattr fremovexattr"),

      refused("addresses", "names a socket address, or takes connections from whoever comes",
              "bind listen accept accept4"),

      refused("other processes", "reads, steers or takes descriptors from another process",
              "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease "
              "pidfd_open pidfd_getfd pidfd_send_signal kcmp get_robust_list migrate_pages "
              "move_pages"),

      refused("shared names", "meets other processes under a number or name that no rule covers",
              "shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv "
              "msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr "
              "add_key request_key keyctl"),

      refused("identity and namespaces", "changes who the process is or what it sees",
              "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups "
              "capset unshare setns chroot pivot_root"),

      refused("mounts", "changes or queries mounts and file systems by name or number",
              "mount umount2 open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr "
              "ustat sysfs quotactl quotactl_fd swapon swapoff"),

      refused("the machine", "administers the machine or opens deep parts of the kernel",
              "reboot kexec_load kexec_file_load init_module finit_module delete_module "
              "sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex acct "
              "syslog vhangup iopl ioperm modify_ldt bpf perf_event_open userfaultfd "
              "lookup_dcookie"),

      refused("masked waits", "it would block SIGSYS while it waits, and nothing translates it",
              "io_pgetevents"),

      spare("rarely needed", "reaches nothing new, but is more kernel code than most programs need",
            "io_setup io_destroy io_submit io_cancel io_getevents sync memfd_secret cachestat "
            "remap_file_pages inotify_init inotify_init1 inotify_rm_watch"),

      missing("clone3", "its flags lie in memory, where a filter cannot look; libc falls back",
              "clone3"),

      missing("io_uring", "it performs calls that no filter sees; programs fall back",
              "io_uring_setup io_uring_enter io_uring_register"),

      missing("gone", "the kernel itself has no such call any more",
              "create_module get_kernel_syms query_module nfsservctl getpmsg putpmsg "
              "afs_syscall tuxcall security vserver epoll_ctl_old epoll_wait_old "
              "set_thread_area get_thread_area _sysctl"),
  };
}

}  // namespace torno::filter
