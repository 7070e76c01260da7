// Calls that are let through for some arguments only.
#include "broker/filter/conditions.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdint>
#include <initializer_list>

#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

constexpr std::uint64_t kPointer = 0x7fff'dead'b000;

// Constants of the kernel's headers, which are int, as arguments of a call.
using Values = std::initializer_list<std::uint64_t>;

TEST(Descriptors, ReservedOnesStayOpen) {
  const auto program = compile_text("");
  for (std::uint64_t fd = 0; fd < 8192; ++fd) {
    const char* wanted = fd >= 4032 && fd <= 4095 ? "EBADF" : "ALLOW";
    ASSERT_EQ(says(program, "close", {fd}), wanted) << fd;
    ASSERT_EQ(says(program, "close", {kGarbage | fd}), wanted) << fd;
  }
  EXPECT_EQ(says(program, "close", {0xffff'ffff}), "ALLOW");
  EXPECT_EQ(says(program, "close", {0x8000'0000 | 4095}), "ALLOW");
}

TEST(Memory, ExecutableMappingsAreRefusedWhereDenied) {
  const auto deny = compile_text("executable_mappings: MAPPINGS_DENY");
  for (const auto& program :
       {compile_text(""), compile_text("executable_mappings: MAPPINGS_ALLOW")}) {
    EXPECT_EQ(says(program, "mmap", {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 3, 0}), "ALLOW");
    EXPECT_EQ(says(program, "mprotect", {kPointer, 4096, PROT_EXEC}), "ALLOW");
  }
  for (const char* call : {"mmap", "mprotect", "pkey_mprotect"}) {
    EXPECT_EQ(says(deny, call, {0, 4096, PROT_READ | PROT_WRITE, 0, 0, 0}), "ALLOW");
    EXPECT_EQ(says(deny, call, {0, 4096, PROT_NONE, 0, 0, 0}), "ALLOW");
    EXPECT_EQ(says(deny, call, {0, 4096, PROT_EXEC, 0, 0, 0}), "EACCES");
    EXPECT_EQ(says(deny, call, {0, 4096, kGarbage | PROT_READ | PROT_EXEC, 0, 0, 0}), "EACCES");
    EXPECT_EQ(says(deny, call, {0, 4096, 0xffff'ffff, 0, 0, 0}), "EACCES");
  }
}

struct CloneShape {
  std::uint64_t flags;
  const char* free;    // answer without a limit
  const char* single;  // with processes: 1
};

TEST(Clone, Shapes) {
  constexpr std::uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM |
                                    CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS |
                                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  const CloneShape shapes[] = {
      {kThread, "ALLOW", "ALLOW"},
      {CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, "ALLOW", "EAGAIN"},
      {SIGCHLD, "ALLOW", "EAGAIN"},
      {CLONE_VFORK | SIGCHLD, "ALLOW", "EAGAIN"},
      {CLONE_VM | CLONE_VFORK | SIGCHLD, "ALLOW", "EAGAIN"},
      {CLONE_VM | CLONE_FILES | SIGCHLD, "ALLOW", "EAGAIN"},  // a second process all the same
      {CLONE_VM | CLONE_FILES | CLONE_VFORK, "ALLOW", "EAGAIN"},
      {CLONE_VM | SIGCHLD, "EPERM", "EPERM"},     // one memory, two descriptor tables
      {CLONE_FILES | SIGCHLD, "EPERM", "EPERM"},  // one descriptor table, two channel pools
      {CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, "EPERM", "EPERM"},
  };
  const auto free = compile_text("");
  const auto single = compile_text("limit { processes: 1 }");
  for (const CloneShape& shape : shapes) {
    for (const std::uint64_t high : {std::uint64_t{0}, kGarbage, ~std::uint64_t{0} << 32}) {
      EXPECT_EQ(says(free, "clone", {high | shape.flags}), shape.free) << std::hex << shape.flags;
      EXPECT_EQ(says(single, "clone", {high | shape.flags}), shape.single)
          << std::hex << shape.flags;
      for (const std::uint64_t space :
           Values{CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                  CLONE_NEWPID, CLONE_NEWNET}) {
        EXPECT_EQ(says(free, "clone", {high | shape.flags | space}), "EPERM");
        EXPECT_EQ(says(single, "clone", {high | shape.flags | space}), "EPERM");
      }
    }
  }
  // A filter cannot count.
  EXPECT_EQ(says(compile_text("limit { processes: 7 }"), "fork"), "ALLOW");
  EXPECT_EQ(says(free, "fork"), "ALLOW");
  EXPECT_EQ(says(free, "vfork"), "ALLOW");
  EXPECT_EQ(says(single, "fork"), "EAGAIN");
  EXPECT_EQ(says(single, "vfork"), "EAGAIN");
  EXPECT_EQ(says(single, "clone3"), "ENOSYS");
}

TEST(Control, Fcntl) {
  const auto program = compile_text("");
  for (const std::uint64_t command :
       Values{F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETLK, F_SETLKW, F_OFD_SETLK,
              F_GETPIPE_SZ, F_ADD_SEALS}) {
    EXPECT_EQ(says(program, "fcntl", {3, command}), "ALLOW") << command;
    EXPECT_EQ(says(program, "fcntl", {3, kGarbage | command}), "ALLOW") << command;
  }
  for (const std::uint64_t command :
       Values{F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETLEASE, F_NOTIFY, 9999}) {
    EXPECT_EQ(says(program, "fcntl", {3, command, 1}), "TRAP") << command;
    EXPECT_EQ(says(program, "fcntl", {3, kGarbage | command, 0}), "TRAP") << command;
  }
  EXPECT_EQ(says(program, "fcntl", {3, F_SETFL, O_NONBLOCK | O_APPEND}), "ALLOW");
  EXPECT_EQ(says(program, "fcntl", {3, kGarbage | F_SETFL, kGarbage & ~std::uint64_t{O_ASYNC}}),
            "ALLOW");
  EXPECT_EQ(says(program, "fcntl", {3, F_SETFL, O_NONBLOCK | O_ASYNC}), "TRAP");
}

TEST(Control, Ioctl) {
  const auto program = compile_text("");
  constexpr std::uint64_t kSetFlags = 0x4008'6602;  // FS_IOC_SETFLAGS
  constexpr std::uint64_t kClone = 0x4004'9409;     // FICLONE
  for (const std::uint64_t command :
       Values{TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX}) {
    EXPECT_EQ(says(program, "ioctl", {1, command, kPointer}), "ALLOW");
    EXPECT_EQ(says(program, "ioctl", {1, kGarbage | command, kPointer}), "ALLOW");
    EXPECT_EQ(says(program, "ioctl", {1, (~std::uint64_t{0} << 32) | command, kPointer}), "ALLOW");
  }
  for (const std::uint64_t command :
       {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCSCTTY}, std::uint64_t{FIOASYNC},
        std::uint64_t{TIOCLINUX}, kSetFlags, kClone, std::uint64_t{0}}) {
    EXPECT_EQ(says(program, "ioctl", {1, command, kPointer}), "TRAP") << std::hex << command;
    EXPECT_EQ(says(program, "ioctl", {1, kGarbage | command, kPointer}), "TRAP");
  }
}

TEST(Control, Prctl) {
  const auto program = compile_text("");
  for (const std::uint64_t option : Values{PR_SET_NAME, PR_GET_NAME, PR_SET_NO_NEW_PRIVS, 65, 66,
                                           0x53564d41, PR_CAPBSET_READ, PR_SET_PDEATHSIG}) {
    EXPECT_EQ(says(program, "prctl", {option, 1}), "ALLOW") << option;
    EXPECT_EQ(says(program, "prctl", {kGarbage | option, 1}), "ALLOW") << option;
  }
  for (const std::uint64_t option :
       Values{PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_MM, PR_SET_PTRACER, PR_SET_CHILD_SUBREAPER,
              PR_CAPBSET_DROP, PR_SET_KEEPCAPS}) {
    EXPECT_EQ(says(program, "prctl", {option, 1}), "TRAP") << option;
    EXPECT_EQ(says(program, "prctl", {kGarbage | option, 1}), "TRAP") << option;
  }
}

TEST(Control, Architecture) {
  const auto program = compile_text("");
  for (const std::uint64_t code : {0x1001U, 0x1002U, 0x1003U, 0x1004U, 0x3001U, 0x1023U}) {
    EXPECT_EQ(says(program, "arch_prctl", {kGarbage | code, kPointer}), "ALLOW") << code;
  }
  EXPECT_EQ(says(program, "arch_prctl", {0x1012, 0}), "TRAP");  // CPUID faulting
  EXPECT_EQ(says(program, "arch_prctl", {0x5001, 1}), "TRAP");
  EXPECT_EQ(says(program, "personality", {0xffff'ffff}), "ALLOW");
  EXPECT_EQ(says(program, "personality", {~std::uint64_t{0}}), "ALLOW");
  EXPECT_EQ(says(program, "personality", {0x0040'0000}), "TRAP");  // READ_IMPLIES_EXEC
  EXPECT_EQ(says(program, "personality", {0}), "TRAP");
}

TEST(Control, FurtherFilters) {
  const auto program = compile_text("");
  EXPECT_EQ(says(program, "seccomp", {1, 0, kPointer}), "ALLOW");
  EXPECT_EQ(says(program, "seccomp", {1, 1, kPointer}), "ALLOW");
  EXPECT_EQ(says(program, "seccomp", {2, 0, kPointer}), "ALLOW");
  EXPECT_EQ(says(program, "seccomp", {0, 0, 0}), "TRAP");         // strict mode
  EXPECT_EQ(says(program, "seccomp", {1, 8, kPointer}), "TRAP");  // a listener
  EXPECT_EQ(says(program, "seccomp", {1, 9, kPointer}), "TRAP");
  EXPECT_EQ(says(program, "seccomp", {1, kGarbage | 8, kPointer}), "TRAP");
  EXPECT_EQ(says(program, "landlock_restrict_self", {3, 0}), "ALLOW");
  EXPECT_EQ(says(program, "landlock_restrict_self", {3, kGarbage}), "ALLOW");
  EXPECT_EQ(says(program, "landlock_restrict_self", {3, 1}), "TRAP");
}

TEST(Scheduling, OfTheProcessItself) {
  const auto program = compile_text("");
  for (const char* call :
       {"sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"}) {
    EXPECT_EQ(says(program, call, {0, 8, kPointer}), "ALLOW");
    EXPECT_EQ(says(program, call, {kGarbage, 8, kPointer}), "ALLOW");
    EXPECT_EQ(says(program, call, {1, 8, kPointer}), "TRAP");
    EXPECT_EQ(says(program, call, {~std::uint64_t{0}, 8, kPointer}), "TRAP");
  }
  EXPECT_EQ(says(program, "setpriority", {PRIO_PROCESS, 0, 5}), "ALLOW");
  EXPECT_EQ(says(program, "setpriority", {PRIO_PROCESS, 1, 5}), "TRAP");
  EXPECT_EQ(says(program, "setpriority", {PRIO_USER, 0, 5}), "TRAP");
  EXPECT_EQ(says(program, "ioprio_set", {1, 0, 5}), "ALLOW");
  EXPECT_EQ(says(program, "ioprio_set", {3, 0, 5}), "TRAP");
}

TEST(Signals, AreNativeOnlyWhereLandlockScopesThem) {
  const auto old_kernel = compile_text("", 5);
  const auto new_kernel = compile_text("", 6);
  for (const char* call : {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}) {
    EXPECT_EQ(says(old_kernel, call, {1, 15, 15}), "TRAP") << call;
    EXPECT_EQ(says(new_kernel, call, {1, 15, 15}), "ALLOW") << call;
  }
  EXPECT_EQ(says(new_kernel, "pidfd_send_signal", {3, 15}), "TRAP");
  EXPECT_EQ(says(compile_text("", 0), "kill", {1, 15}), "TRAP");
}

TEST(Sockets, OnlyThoseAConnectRuleNeeds) {
  const auto none = compile_text("");
  const auto ipv4 = compile_text(R"(connect { address: "127.0.0.1" port: 80 })");
  const auto ipv6 = compile_text(R"(connect { address: "::1" port: 80 })");
  const auto local = compile_text(R"(connect { unix: "/run/fontd.sock" })");
  const struct {
    std::uint64_t domain, type, protocol;
    const char *none, *ipv4, *ipv6, *local;
  } shapes[] = {
      {AF_INET, SOCK_STREAM, 0, "TRAP", "ALLOW", "TRAP", "TRAP"},
      {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP, "TRAP", "ALLOW", "TRAP",
       "TRAP"},
      {AF_INET6, SOCK_STREAM, 0, "TRAP", "ALLOW", "ALLOW", "TRAP"},
      {AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP, "TRAP", "ALLOW", "ALLOW", "TRAP"},
      {AF_INET6, SOCK_DGRAM, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_INET6, SOCK_STREAM, IPPROTO_SCTP, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_UNIX, SOCK_STREAM, 0, "TRAP", "TRAP", "TRAP", "ALLOW"},
      {AF_UNIX, SOCK_STREAM, IPPROTO_TCP, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_UNIX, SOCK_DGRAM, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_INET, SOCK_DGRAM, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_INET, SOCK_STREAM, 262, "TRAP", "TRAP", "TRAP", "TRAP"},  // MPTCP
      {AF_INET, SOCK_STREAM, IPPROTO_SCTP, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_INET, SOCK_RAW, IPPROTO_ICMP, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_INET, SOCK_STREAM | 0x10, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_NETLINK, SOCK_RAW, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_PACKET, SOCK_RAW, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_VSOCK, SOCK_STREAM, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_ALG, SOCK_SEQPACKET, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
      {AF_UNSPEC, SOCK_STREAM, 0, "TRAP", "TRAP", "TRAP", "TRAP"},
  };
  for (const auto& shape : shapes) {
    for (const std::uint64_t high : {std::uint64_t{0}, kGarbage}) {
      const Arguments arguments = {high | shape.domain, high | shape.type, high | shape.protocol};
      const auto where = testing::Message() << shape.domain << " " << shape.type << " "
                                            << shape.protocol << " " << high;
      EXPECT_EQ(says(none, "socket", arguments), shape.none) << where;
      EXPECT_EQ(says(ipv4, "socket", arguments), shape.ipv4) << where;
      EXPECT_EQ(says(ipv6, "socket", arguments), shape.ipv6) << where;
      EXPECT_EQ(says(local, "socket", arguments), shape.local) << where;
    }
  }
}

TEST(Sockets, Pairs) {
  const auto program = compile_text("");
  for (const std::uint64_t type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    EXPECT_EQ(says(program, "socketpair", {AF_UNIX, type, 0, kPointer}), "ALLOW");
    EXPECT_EQ(says(program, "socketpair",
                   {kGarbage | AF_UNIX, kGarbage | type | SOCK_CLOEXEC | SOCK_NONBLOCK, kGarbage}),
              "ALLOW");
    EXPECT_EQ(says(program, "socketpair", {AF_INET, type, 0, kPointer}), "TRAP");
    EXPECT_EQ(says(program, "socketpair", {AF_UNIX, type, 1, kPointer}), "TRAP");
  }
  EXPECT_EQ(says(program, "socketpair", {AF_UNIX, SOCK_RAW, 0, kPointer}), "TRAP");
}

TEST(Sockets, Options) {
  const auto program = compile_text("");
  const auto both = [&](const char* call, std::uint64_t level, std::uint64_t name,
                        const char* wanted) {
    EXPECT_EQ(says(program, call, {3, level, name, kPointer, 4}), wanted) << level << " " << name;
    EXPECT_EQ(says(program, call, {3, kGarbage | level, kGarbage | name, kPointer, 4}), wanted);
  };
  both("setsockopt", SOL_SOCKET, SO_REUSEADDR, "ALLOW");
  both("setsockopt", IPPROTO_TCP, TCP_NODELAY, "ALLOW");
  both("setsockopt", IPPROTO_IPV6, IPV6_V6ONLY, "ALLOW");
  for (const std::uint64_t name : Values{SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_EBPF,
                                         SO_BINDTODEVICE, SO_MARK, SO_PASSCRED, SO_LOCK_FILTER}) {
    both("setsockopt", SOL_SOCKET, name, "TRAP");
  }
  for (const std::uint64_t name :
       Values{TCP_ULP, TCP_CONGESTION, TCP_REPAIR, TCP_FASTOPEN_CONNECT}) {
    both("setsockopt", IPPROTO_TCP, name, "TRAP");
  }
  // An option of one level under the number of another.
  both("setsockopt", IPPROTO_IP, SO_REUSEADDR, "TRAP");
  both("setsockopt", IPPROTO_UDP, TCP_NODELAY, "TRAP");
  both("getsockopt", SOL_SOCKET, SO_ERROR, "ALLOW");
  both("getsockopt", SOL_SOCKET, SO_TYPE, "ALLOW");
  both("getsockopt", SOL_SOCKET, SO_PEERCRED, "ALLOW");
  both("getsockopt", IPPROTO_TCP, TCP_INFO, "ALLOW");
  both("getsockopt", SOL_SOCKET, 77, "TRAP");   // SO_PEERPIDFD
  both("getsockopt", IPPROTO_TCP, 35, "TRAP");  // TCP_ZEROCOPY_RECEIVE
}

TEST(Sockets, SendWithoutAnAddress) {
  const auto program = compile_text("");
  EXPECT_EQ(says(program, "sendto", {3, kPointer, 4, 0, 0, 0}), "ALLOW");
  EXPECT_EQ(says(program, "sendto", {3, kPointer, 4, 0, 0, 16}), "ALLOW");
  EXPECT_EQ(says(program, "sendto", {3, kPointer, 4, 0, kPointer, 16}), "TRAP");
  EXPECT_EQ(says(program, "sendto", {3, kPointer, 4, 0, 0x1'0000'0000, 16}), "TRAP");
  for (const char* call : {"bind", "listen", "accept", "accept4", "connect"}) {
    EXPECT_EQ(says(program, call, {3, kPointer, 16}), "TRAP") << call;
  }
}

}  // namespace
}  // namespace torno::filter::test
