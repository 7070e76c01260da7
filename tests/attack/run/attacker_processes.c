// Ways to another process, which is not the attacker's, and out to the network.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "attacker.h"

// Of both: one is enough.
static enum Got of_either(enum Got (*attack)(int process)) {
  const enum Got got = attack(targets.victim);
  return got == kRefused ? attack(targets.parent) : got;
}

static enum Got trace(int process) {
  if (syscall(SYS_ptrace, PTRACE_SEIZE, process, 0L, 0L) != 0) return kRefused;
  syscall(SYS_ptrace, PTRACE_DETACH, process, 0L, 0L);
  return kGot;
}
static enum Got ptrace_attack(void) {
  return of_either(trace);
}

static int copy = 0;
// A wrong address is told after the right to look was given.
static enum Got read_from(int process) {
  const struct iovec here = {&copy, sizeof copy};
  const struct iovec there = {(void*)targets.mark, sizeof copy};
  const long result = syscall(SYS_process_vm_readv, process, &here, 1L, &there, 1L, 0L);
  return result > 0 || errno == EFAULT ? kGot : kRefused;
}
static enum Got read_memory(void) {
  return of_either(read_from);
}
static enum Got write_to(int process) {
  const struct iovec here = {&copy, sizeof copy};
  const struct iovec there = {(void*)targets.mark, sizeof copy};
  const long result = syscall(SYS_process_vm_writev, process, &here, 1L, &there, 1L, 0L);
  return result > 0 || errno == EFAULT ? kGot : kRefused;
}
static enum Got write_memory(void) {
  return of_either(write_to);
}
static enum Got open_memory(int process) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", process);
  return done(syscall(SYS_open, path, O_RDWR, 0));
}
static enum Got memory_file(void) {
  return of_either(open_memory);
}
static enum Got open_environment(int process) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", process);
  return done(syscall(SYS_open, path, O_RDONLY, 0));
}
static enum Got environment(void) {
  return of_either(open_environment);
}
static enum Got take_descriptor(int process) {
  const long pidfd = syscall(SYS_pidfd_open, process, 0);
  return pidfd < 0 ? kRefused : done(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}
static enum Got descriptor(void) {
  return of_either(take_descriptor);
}
static enum Got signal_by_pidfd(int process) {
  const long pidfd = syscall(SYS_pidfd_open, process, 0);
  return pidfd < 0 ? kRefused : done(syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, 0L, 0));
}
static enum Got pidfd_signal(void) {
  return of_either(signal_by_pidfd);
}
static enum Got send_signals(int process) {
  siginfo_t info = {0};
  info.si_code = SI_QUEUE;
  const int sent = syscall(SYS_kill, process, SIGCONT) == 0 ||
                   syscall(SYS_tkill, process, SIGCONT) == 0 ||
                   syscall(SYS_tgkill, process, process, SIGCONT) == 0 ||
                   syscall(SYS_rt_sigqueueinfo, process, SIGCONT, &info) == 0;
  return sent ? kGot : kRefused;
}
static enum Got signals(void) {
  return of_either(send_signals);
}
// By one that most programs ignore, should it get out. The call succeeds even where it reaches
// nobody: whoever is to be reached has to look.
static enum Got signal_to_everybody(void) {
  return done(syscall(SYS_kill, -1, SIGURG));
}
static enum Got signal_owner(void) {
  int ends[2];
  if (pipe(ends) != 0) return kBroken;
  if (fcntl(ends[0], F_SETOWN, targets.victim) != 0) return kRefused;
  return fcntl(ends[0], F_SETSIG, SIGCONT) == 0 && fcntl(ends[0], F_SETFL, O_ASYNC) == 0 ? kGot
                                                                                         : kRefused;
}
static enum Got limit_of(int process) {
  const struct rlimit limit = {64, 64};
  return done(syscall(SYS_prlimit64, process, RLIMIT_CORE, &limit, 0L));
}
static enum Got limits(void) {
  return of_either(limit_of);
}
static enum Got priority_of(int process) {
  return done(syscall(SYS_setpriority, PRIO_PROCESS, process, 19));
}
static enum Got priority(void) {
  return of_either(priority_of);
}
static enum Got affinity_of(int process) {
  unsigned long all[16];
  memset(all, 0xff, sizeof all);
  return done(syscall(SYS_sched_setaffinity, process, sizeof all, all));
}
static enum Got affinity(void) {
  return of_either(affinity_of);
}

static struct sockaddr_in loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)targets.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}
static enum Got connect_tcp(void) {
  const struct sockaddr_in address = loopback();
  const long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
  return fd < 0 ? kRefused : done(syscall(SYS_connect, fd, &address, sizeof address));
}
static enum Got send_fast_open(void) {
  const struct sockaddr_in address = loopback();
  const long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return kRefused;
  return done(syscall(SYS_sendto, fd, "x", 1L, MSG_FASTOPEN, &address, sizeof address));
}
static enum Got send_udp(void) {
  const struct sockaddr_in address = loopback();
  const long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return kRefused;
  return done(syscall(SYS_sendto, fd, "x", 1L, 0, &address, sizeof address));
}
static enum Got send_message(void) {
  struct sockaddr_in address = loopback();
  struct iovec piece = {"x", 1};
  struct mmsghdr message = {
      .msg_hdr = {
          .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &piece, .msg_iovlen = 1}};
  const long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return kRefused;
  return syscall(SYS_sendmsg, fd, &message.msg_hdr, 0) == 1 ||
                 syscall(SYS_sendmmsg, fd, &message, 1, 0) == 1
             ? kGot
             : kRefused;
}
static enum Got listen_tcp(void) {
  struct sockaddr_in address = loopback();
  address.sin_port = 0;
  const long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return kRefused;
  if (syscall(SYS_bind, fd, &address, sizeof address) != 0) return kRefused;
  return done(syscall(SYS_listen, fd, 1));
}
static enum Got connect_unix(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, at("secret/socket"), sizeof address.sun_path - 1);
  const long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
  return fd < 0 ? kRefused : done(syscall(SYS_connect, fd, &address, sizeof address));
}
// Of a name that is no file.
static enum Got connect_abstract(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int size =
      snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "torno-attack-%d", targets.port);
  const long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return kRefused;
  return done(syscall(SYS_connect, fd, &address,
                      offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size));
}
static enum Got netlink(void) {
  return done(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0));
}
static enum Got packets(void) {
  return done(syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0));
}

const struct Attack process_attacks[] = {{"Ptrace", ptrace_attack},
                                         {"ReadMemory", read_memory},
                                         {"WriteMemory", write_memory},
                                         {"MemoryFile", memory_file},
                                         {"Environment", environment},
                                         {"TakeDescriptor", descriptor},
                                         {"PidfdSignal", pidfd_signal},
                                         {"Signals", signals},
                                         {"SignalToEverybody", signal_to_everybody},
                                         {"SignalOwner", signal_owner},
                                         {"Limits", limits},
                                         {"Priority", priority},
                                         {"Affinity", affinity},
                                         {"ConnectTcp", connect_tcp},
                                         {"SendFastOpen", send_fast_open},
                                         {"SendUdp", send_udp},
                                         {"SendMessage", send_message},
                                         {"ListenTcp", listen_tcp},
                                         {"ConnectUnix", connect_unix},
                                         {"ConnectAbstract", connect_abstract},
                                         {"Netlink", netlink},
                                         {"Packets", packets},
                                         {NULL, NULL}};
