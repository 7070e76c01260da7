#include "broker/filter/conditions.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>

#include "broker/filter/allow_lists.h"
#include "broker/filter/executables.h"

namespace torno::filter {
namespace {

constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                         CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::uint32_t kUnshare = 1U << 1;  // CLOSE_RANGE_UNSHARE
constexpr std::uint32_t kCurrentPersonality = 0xffff'ffff;
constexpr std::uint32_t kPrioProcess = 0;    // PRIO_PROCESS
constexpr std::uint32_t kIoprioProcess = 1;  // IOPRIO_WHO_PROCESS
constexpr int kScopedSignalsAbi = 6;
constexpr std::uint32_t kNoExecSeal = 1U << 3;  // MFD_NOEXEC_SEAL, Linux 6.3

void allow(std::vector<Rule>& stage, const char* call, std::vector<Comparison> when) {
  stage.push_back({call, SCMP_ACT_ALLOW, std::move(when)});
}

void refuse(std::vector<Rule>& stage, const char* call, int error, std::vector<Comparison> when) {
  stage.push_back({call, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), std::move(when)});
}

// The handler's own reissues. Each mark stands in a half that the kernel ignores.
void add_marked(std::vector<Rule>& stage) {
  allow(stage, "rt_sigaction", {marked(0)});
  allow(stage, "rt_sigprocmask", {marked(0)});
  allow(stage, "rt_sigsuspend", {marked(2)});
  allow(stage, "ppoll", {marked(1)});
  allow(stage, "pselect6", {marked(0)});
  allow(stage, "epoll_pwait", {marked(0)});
  allow(stage, "epoll_pwait2", {marked(0)});
  allow(stage, "umask", {marked(0)});
  // Not the control descriptor, and no descriptor table of one's own: the pool of channels is
  // shared by all that share memory.
  allow(stage, "close_range",
        {marked(0), {1, SCMP_CMP_LE, wire::LAST_CHANNEL_FD, 0}, without(2, kUnshare)});
  allow(stage, "prlimit64", {whole(0, kMark)});  // pid 0 alone
}

// Without a new signal mask or action nothing is left to translate.
void add_translated(std::vector<Rule>& refused, std::vector<Rule>& native) {
  // Told apart here: the handler shows the program its own idea of SIGSYS.
  refused.push_back({"rt_sigaction", SCMP_ACT_TRAP, {low(0, SIGSYS)}});
  allow(native, "rt_sigaction", {whole(1, 0)});
  allow(native, "rt_sigprocmask", {whole(1, 0)});
  allow(native, "ppoll", {whole(3, 0)});
  allow(native, "pselect6", {whole(5, 0)});
  allow(native, "epoll_pwait", {whole(4, 0)});
  allow(native, "epoll_pwait2", {whole(4, 0)});
  allow(native, "prlimit64", {low(0, 0), whole(2, 0)});
}

// Under the notify transport no signal handler answers anything, so that no signal, descriptor or
// limit needs keeping: what the trap transport translates runs as the program calls it. A trap
// program on top takes its own part first, and what that lets through is let through here as well.
void add_untranslated(std::vector<Rule>& native) {
  for (const char* call : {"rt_sigaction", "rt_sigprocmask", "rt_sigsuspend", "ppoll", "pselect6",
                           "epoll_pwait", "epoll_pwait2", "umask", "close_range", "setrlimit"}) {
    allow(native, call, {});
  }
  allow(native, "prlimit64", {low(0, 0)});
}

// A directory that the broker passed on lies in the broker's mount namespace, and in one of its own
// the program would be told that it is unreachable.
void add_working_directory(std::vector<Rule>& refused) {
  refused.push_back({"getcwd", SCMP_ACT_TRAP, {}});
}

// The one socket whose other end, the broker, counts what it is sent. Nothing else may ever have
// this number, or messages to any address leave through it: the hard RLIMIT_NOFILE must be at most
// CONTROL_FD, and CAP_SYS_RESOURCE gone, before the program's own code runs.
void add_control_descriptor(std::vector<Rule>& native) {
  allow(native, "sendmsg", {low(0, wire::CONTROL_FD)});
}

// Closing a reserved descriptor would let nothing else onto its number, but would cost the
// process its broker: programs that close "everything" must not.
void add_reserved_descriptors(std::vector<Rule>& refused) {
  constexpr std::uint32_t kCount = wire::CONTROL_FD - wire::FIRST_CHANNEL_FD + 1;
  static_assert((kCount & (kCount - 1)) == 0 && wire::FIRST_CHANNEL_FD % kCount == 0,
                "the reserved descriptors are one aligned block, so that a mask finds them");
  refuse(refused, "close", EBADF,
         {bits(0, kLowHalf & ~std::uint64_t{kCount - 1}, wire::FIRST_CHANNEL_FD)});
}

void add_memory(const policy::Policy& policy, std::vector<Rule>& refused) {
  if (policy.merged().executable_mappings() != policy::MAPPINGS_DENY) return;
  for (const char* call : {"mmap", "mprotect", "pkey_mprotect"}) {
    refuse(refused, call, EACCES, {bits(2, PROT_EXEC, PROT_EXEC)});
  }
}

// Landlock lets every memfd be executed, since no path leads to it: whoever swaps the path of an
// exec that was vetted would run what they wrote. So where programs may be executed, a memfd is
// made without the right to execute it: with this flag by the kernel, else by the broker.
void add_executable_memory_files(const policy::Policy& policy, std::vector<Rule>& refused) {
  if (!allows_execution(policy)) return;
  refused.push_back({"memfd_create", SCMP_ACT_TRAP, {bits(1, kNoExecSeal, 0)}});
}

// The kernel takes clone's flags from the low half. CLONE_VM without CLONE_FILES is a vfork or
// nothing: two descriptor tables over one channel pool would mix up its descriptors.
void add_clone(const policy::Policy& policy, std::vector<Rule>& refused,
               std::vector<Rule>& native) {
  constexpr std::uint32_t kShared = CLONE_VM | CLONE_FILES;
  // CLONE_PARENT would make children of the parent, outside, which waits for its own.
  constexpr std::uint32_t kShape = kNewNamespaces | CLONE_PARENT | kShared | CLONE_VFORK;
  constexpr std::array<std::uint32_t, 2> kSharing = {kShared, kShared | CLONE_VFORK};
  constexpr std::array<std::uint32_t, 3> kForks = {0, CLONE_VFORK, CLONE_VM | CLONE_VFORK};

  // A filter cannot count: more than one are the launcher's to limit.
  if (policy.merged().limit().processes() != 1) {
    for (const auto flags : kSharing) allow(native, "clone", {bits(0, kShape, flags)});
    for (const auto flags : kForks) allow(native, "clone", {bits(0, kShape, flags)});
    return;
  }
  // One process. Sharing everything is not enough: without CLONE_THREAD it is a second one.
  constexpr std::uint32_t kThreadShape = kShape | CLONE_THREAD;
  for (const auto flags : kSharing) {
    allow(native, "clone", {bits(0, kThreadShape, flags | CLONE_THREAD)});
    refuse(refused, "clone", EAGAIN, {bits(0, kThreadShape, flags)});
  }
  for (const auto flags : kForks) refuse(refused, "clone", EAGAIN, {bits(0, kThreadShape, flags)});
  refuse(refused, "fork", EAGAIN, {});
  refuse(refused, "vfork", EAGAIN, {});
}

void add_control(std::vector<Rule>& native) {
  for (const std::uint32_t command : fcntl_commands()) {
    allow(native, "fcntl", {low(1, command)});
  }
  // O_ASYNC on a shared terminal would send SIGIO to whoever is in its foreground.
  allow(native, "fcntl", {low(1, F_SETFL), without(2, O_ASYNC)});
  for (const std::uint32_t command : ioctl_commands()) {
    allow(native, "ioctl", {low(1, command)});
  }
  for (const std::uint32_t option : prctl_options()) {
    allow(native, "prctl", {low(0, option)});
  }
  for (const std::uint32_t code : arch_prctl_codes()) {
    allow(native, "arch_prctl", {low(0, code)});
  }
  allow(native, "personality", {low(0, kCurrentPersonality)});
  // A further filter can only refuse more, as long as nobody listens to it.
  allow(native, "seccomp",
        {low(0, SECCOMP_SET_MODE_FILTER),
         bits(1, kLowHalf & ~std::uint64_t{SECCOMP_FILTER_FLAG_TSYNC}, 0)});
  allow(native, "seccomp", {low(0, SECCOMP_GET_ACTION_AVAIL)});
  allow(native, "landlock_restrict_self", {low(1, 0)});
}

void add_processes(int landlock_abi, std::vector<Rule>& native) {
  for (const char* call :
       {"sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"}) {
    allow(native, call, {low(0, 0)});
  }
  allow(native, "setpriority", {low(0, kPrioProcess), low(1, 0)});
  allow(native, "ioprio_set", {low(0, kIoprioProcess), low(1, 0)});
  if (landlock_abi < kScopedSignalsAbi) return;
  for (const char* call : {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}) {
    allow(native, call, {});
  }
}

void add_sockets(const policy::Policy& policy, std::vector<Rule>& native) {
  for (const SocketShape& shape : socket_shapes(policy)) {
    allow(native, "socket",
          {low(0, shape.domain), bits(1, kLowHalf & ~std::uint64_t{kSocketFlags}, shape.type),
           low(2, shape.protocol)});
  }
  for (const std::uint32_t type : socketpair_types()) {
    allow(native, "socketpair",
          {low(0, kUnixDomain), bits(1, kLowHalf & ~std::uint64_t{kSocketFlags}, type), low(2, 0)});
  }
  for (const SocketOption& option : settable_options()) {
    allow(native, "setsockopt", {low(1, option.level), low(2, option.name)});
  }
  for (const SocketOption& option : readable_options()) {
    allow(native, "getsockopt", {low(1, option.level), low(2, option.name)});
  }
  allow(native, "sendto", {whole(4, 0)});
}

}  // namespace

Conditions conditions_for(const policy::Policy& policy, int landlock_abi, Transport transport) {
  Conditions conditions;
  switch (transport) {
    case Transport::kTrapOnNotify:
      add_marked(conditions.marked);
      add_translated(conditions.refused, conditions.native);
      add_reserved_descriptors(conditions.refused);
      add_control_descriptor(conditions.native);
      return conditions;
    case Transport::kTrap:
      add_marked(conditions.marked);
      add_translated(conditions.refused, conditions.native);
      add_reserved_descriptors(conditions.refused);
      break;
    case Transport::kNotify:
      add_untranslated(conditions.native);
      add_working_directory(conditions.refused);
      add_executable_memory_files(policy, conditions.refused);
      break;
  }
  add_control_descriptor(conditions.native);
  add_memory(policy, conditions.refused);
  add_clone(policy, conditions.refused, conditions.native);
  add_control(conditions.native);
  add_processes(landlock_abi, conditions.native);
  add_sockets(policy, conditions.native);
  return conditions;
}

}  // namespace torno::filter
