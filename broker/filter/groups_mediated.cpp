// What is let through for some arguments, reissued by the sandboxee's handler, or done by the
// broker.
#include <seccomp.h>

#include <cerrno>

#include "broker/filter/groups.h"

namespace torno::filter {
namespace {

Group mediated(std::string_view title, Kind kind, std::string_view reason, std::string_view calls) {
  return {title, kind, SCMP_ACT_TRAP, reason, words(calls)};
}

}  // namespace

std::vector<Group> mediated_groups() {
  Group clone = mediated("new threads and processes", Kind::kByArguments,
                         "threads, fork and vfork are let through; new namespaces are not. libc "
                         "clones with signals blocked, so this one never traps",
                         "clone");
  clone.action = SCMP_ACT_ERRNO(EPERM);

  return {
      mediated("control calls", Kind::kByArguments,
               "one number, hundreds of operations: only those on a list of harmless ones",
               "fcntl ioctl prctl arch_prctl personality seccomp landlock_restrict_self"),

      mediated("sockets", Kind::kByArguments,
               "only socket types that a connect rule can lead somewhere, and only options that "
               "neither load code nor reach the network's set-up",
               "socket socketpair setsockopt getsockopt"),

      mediated("sending", Kind::kByArguments,
               "data on a connected socket needs no address; one that is named was vetted by "
               "nobody",
               "sendto"),

      mediated("scheduling", Kind::kByArguments, "a process may schedule itself (pid 0), no other",
               "sched_setaffinity sched_setattr sched_setparam sched_setscheduler setpriority "
               "ioprio_set"),

      mediated("sending signals", Kind::kByArguments,
               "Landlock keeps signals inside the sandbox from its ABI 6 on; without it they "
               "would reach every process of the same user",
               "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo"),

      std::move(clone),

      mediated("translated", Kind::kTranslated,
               "SIGSYS must stay unblocked and handled, the reserved descriptors open, the limits "
               "of the process its own; a message without an address is sent as plain data",
               "rt_sigaction rt_sigprocmask rt_sigsuspend ppoll pselect6 epoll_pwait "
               "epoll_pwait2 umask close_range prlimit64 setrlimit sendmsg "
               "sendmmsg"),

      mediated("brokered", Kind::kBrokered,
               "the broker decides by the policy, acts, and passes the result back",
               "open openat openat2 creat stat lstat newfstatat statx access faccessat "
               "faccessat2 readlink readlinkat mkdir mkdirat mknod mknodat rmdir unlink unlinkat "
               "rename renameat renameat2 link linkat symlink symlinkat chmod fchmod fchmodat "
               "fchmodat2 chown lchown fchown fchownat utime utimes futimesat utimensat truncate "
               "statfs connect"),
  };
}

}  // namespace torno::filter
