// Interfaces of the kernel that give more rights, other worlds, or ways around the filter.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attacker.h"

// A control that succeeds must not be seen by the machine. Inside it is refused as the rest is.
static int own_world(long more) {
  if (syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS | more) == 0) return 1;
  return syscall(SYS_unshare, CLONE_NEWNS | more) == 0 &&
         mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static enum Got mount_bind(void) {
  own_world(0);
  return done(syscall(SYS_mount, at("secret"), at("writable"), 0L, MS_BIND, 0L));
}
static enum Got mount_memory(void) {
  own_world(0);
  return done(syscall(SYS_mount, "none", at("writable"), "tmpfs", 0L, 0L));
}
static enum Got clone_tree(void) {
  own_world(0);
  return done(syscall(SYS_open_tree, AT_FDCWD, at("secret"), 1U /* OPEN_TREE_CLONE */));
}
static enum Got new_mount(void) {
  own_world(0);
  return done(syscall(SYS_fsopen, "tmpfs", 0));
}
static enum Got change_root(void) {
  own_world(0);
  return done(syscall(SYS_chroot, at("secret")));
}
static enum Got user_namespace(void) {
  return done(syscall(SYS_unshare, CLONE_NEWUSER));
}
static enum Got mount_namespace(void) {
  return done(syscall(SYS_unshare, CLONE_NEWNS));
}
static enum Got cloned_namespace(void) {
  const long child = syscall(SYS_clone, (long)(CLONE_NEWUSER | SIGCHLD), 0L, 0L, 0L, 0L);
  if (child == 0) _exit(0);
  return done(child);
}
// As every C library would, where it can; its flags lie in memory.
static enum Got cloned3_namespace(void) {
  struct {
    unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } how = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  const long child = syscall(SYS_clone3, &how, sizeof how);
  if (child == 0) _exit(0);
  return done(child);
}
static enum Got join_namespace(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/net", targets.victim);
  const long other = syscall(SYS_open, path, O_RDONLY, 0);
  if (other >= 0) return done(syscall(SYS_setns, other, 0));
  const long pidfd = syscall(SYS_pidfd_open, targets.parent, 0);
  return pidfd < 0 ? kRefused : done(syscall(SYS_setns, pidfd, CLONE_NEWNET));
}

static enum Got keyring(void) {
  return done(syscall(SYS_keyctl, 0L, -3L, 1L));  // the session's
}
static enum Got add_key(void) {
  return done(syscall(SYS_add_key, "user", "attack", "x", 1L, -2L));
}
static enum Got bpf(void) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  return done(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}
static enum Got perf(void) {
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.exclude_kernel = 1;
  return done(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}
static enum Got io_uring(void) {
  struct io_uring_params parameters;
  memset(&parameters, 0, sizeof parameters);
  return done(syscall(SYS_io_uring_setup, 4, &parameters));
}
static enum Got userfaultfd(void) {
  return done(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */));
}
// Who has a listener of its own could tell the kernel to go on with what the broker must see.
static enum Got own_listener(void) {
  struct sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const struct sock_fprog filter = {1, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return done(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
}
static enum Got request_key(void) {
  return done(syscall(SYS_request_key, "user", "none", 0L, 0L)) == kGot || errno == ENOKEY
             ? kGot
             : kRefused;
}
static enum Got watch_mounts(void) {
  return done(syscall(SYS_fanotify_init, 0x200U /* FAN_REPORT_FID */, O_RDONLY));
}
static enum Got system_name(void) {
  static const char name[] = "attacked";
  if (!own_world(CLONE_NEWUTS)) return kRefused;
  return done(syscall(SYS_sethostname, name, sizeof name - 1));
}
static enum Got kernel_log(void) {
  return done(syscall(SYS_syslog, 10, 0L, 0));  // its size
}
static enum Got privileges(void) {
  return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? kGot : kRefused;
}
static enum Got ports(void) {
  return done(syscall(SYS_ioperm, 0x80L, 1L, 1));
}

// Standard input is a terminal.
static enum Got type_into_terminal(void) {
  return done(syscall(SYS_ioctl, STDIN_FILENO, 0x5412 /* TIOCSTI */, "x"));
}
static enum Got own_terminal(void) {
  return done(syscall(SYS_open, "/dev/tty", O_RDWR, 0));
}
static enum Got take_terminal(void) {
  return done(syscall(SYS_ioctl, STDIN_FILENO, 0x540e /* TIOCSCTTY */, 0));
}

static long int80(long number, long first, long second, long third) {
  long result = number;
  __asm__ volatile("int $0x80"
                   : "+a"(result)
                   : "b"(first), "c"(second), "d"(third)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}
static enum Got open_by_int80(void) {
  char* low =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) return kBroken;
  strncpy(low, at("secret/key"), 4095);
  return reads_secret(int80(5 /* open */, (long)low, O_RDONLY, 0));
}
// A kernel without x32 says ENOSYS: then the filter has let the number by.
static enum Got call_by_x32(void) {
  const long number = 0x40000000 | SYS_open;
  const long fd = syscall(number, at("secret/key"), O_RDONLY, 0);
  return fd >= 0 || errno == ENOSYS ? kGot : kRefused;
}

const struct Attack kernel_attacks[] = {{"MountBind", mount_bind},
                                        {"MountMemory", mount_memory},
                                        {"CloneTree", clone_tree},
                                        {"NewMount", new_mount},
                                        {"ChangeRoot", change_root},
                                        {"UserNamespace", user_namespace},
                                        {"MountNamespace", mount_namespace},
                                        {"ClonedNamespace", cloned_namespace},
                                        {"Cloned3Namespace", cloned3_namespace},
                                        {"JoinNamespace", join_namespace},
                                        {"Keyring", keyring},
                                        {"AddKey", add_key},
                                        {"RequestKey", request_key},
                                        {"Bpf", bpf},
                                        {"Perf", perf},
                                        {"IoUring", io_uring},
                                        {"Userfaultfd", userfaultfd},
                                        {"OwnListener", own_listener},
                                        {"WatchMounts", watch_mounts},
                                        {"SystemName", system_name},
                                        {"KernelLog", kernel_log},
                                        {"NoNewPrivileges", privileges},
                                        {"Ports", ports},
                                        {"TypeIntoTerminal", type_into_terminal},
                                        {"OwnTerminal", own_terminal},
                                        {"TakeTerminal", take_terminal},
                                        {"OpenByInt80", open_by_int80},
                                        {"CallByX32", call_by_x32},
                                        {NULL, NULL}};
