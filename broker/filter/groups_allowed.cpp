// What a sandboxed program does by itself, without asking: no path, no address, no new right.
#include <seccomp.h>

#include "broker/filter/groups.h"

namespace torno::filter {
namespace {

Group allowed(std::string_view title, std::string_view reason, std::string_view calls) {
  return {title, Kind::kAllowed, SCMP_ACT_ALLOW, reason, words(calls)};
}

}  // namespace

std::vector<Group> allowed_groups() {
  return {
      allowed("memory", "a process changes only its own memory",
              "brk mmap mprotect pkey_mprotect munmap mremap madvise msync mincore mlock mlock2 "
              "mlockall munlock munlockall pkey_alloc pkey_free map_shadow_stack memfd_create "
              "membarrier mbind get_mempolicy set_mempolicy set_mempolicy_home_node"),

      allowed("file descriptors",
              "what an open descriptor may be used for was decided when it was opened",
              "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek "
              "close dup dup2 dup3 pipe pipe2 fstat fstatfs getdents getdents64 fchdir flock "
              "fsync fdatasync syncfs sync_file_range ftruncate fallocate fadvise64 readahead "
              "sendfile copy_file_range splice tee vmsplice fgetxattr flistxattr"),

      allowed("waiting",
              "waits for descriptors that are already there, or makes ones that reach nothing",
              "poll select epoll_create epoll_create1 epoll_ctl epoll_wait eventfd eventfd2 "
              "signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime"),

      allowed("connected sockets", "receives on, asks of or shuts a socket; names no address",
              "recvfrom recvmsg recvmmsg shutdown getsockname getpeername"),

      allowed("time", "reads clocks, sleeps, and sets timers of the process itself",
              "time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep getitimer "
              "setitimer alarm timer_create timer_settime timer_gettime timer_getoverrun "
              "timer_delete"),

      allowed("threads", "what libc needs to run, synchronise and end threads",
              "futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list "
              "set_tid_address rseq gettid getcpu sched_yield exit exit_group"),

      allowed("signals", "receives signals and returns from them; sends none",
              "rt_sigreturn rt_sigpending rt_sigtimedwait sigaltstack pause restart_syscall"),

      allowed("processes", "makes children, which inherit every wall, and waits for them",
              "fork vfork wait4 waitid getpid getppid getpgid getpgrp setpgid getsid setsid"),

      allowed("questions",
              "tells the process about itself or the machine; what some of them tell about other "
              "processes is scheduling and capabilities, which every user may ask",
              "getuid geteuid getgid getegid getresuid getresgid getgroups capget getcwd "
              "getrlimit getrusage times uname sysinfo getrandom getpriority ioprio_get "
              "sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
              "sched_get_priority_max sched_get_priority_min sched_rr_get_interval"),

      allowed("further walls", "a Landlock ruleset can only take rights away",
              "landlock_create_ruleset landlock_add_rule"),
  };
}

}  // namespace torno::filter
