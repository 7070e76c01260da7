#include "broker/launch/child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "proto/wire.pb.h"

namespace torno::launch {
namespace {

// Newer than this system's headers.
constexpr int kSetMdwe = 65;
constexpr unsigned long kRefuseExecGain = 1;
constexpr unsigned kWaitKillable = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19

void say(const Plan& plan, const Word& word) {
  // Shorter than PIPE_BUF, so it goes whole; nobody there to read it is nobody to tell.
  while (::write(plan.say, &word, sizeof word) < 0 && errno == EINTR) {
  }
}

[[noreturn]] void fail(const Plan& plan, Step step, int error = errno) {
  say(plan, {Word::Kind::kFailed, step, 0, error});
  ::_exit(125);
}

// All but standard input and outputs and what `kept` names.
void close_others(const Plan& plan, std::array<int, 6> kept) {
  std::ranges::sort(kept);
  unsigned first = 3;
  for (const int fd : kept) {
    if (fd < static_cast<int>(first)) continue;
    const auto number = static_cast<unsigned>(fd);
    if (number > first && ::close_range(first, number - 1, 0) != 0) fail(plan, Step::kDescriptors);
    first = number + 1;
  }
  if (::close_range(first, ~0U, 0) != 0) fail(plan, Step::kDescriptors);
}

pid_t raw_clone(std::uint64_t flags, int* process) {
  return static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, process, nullptr, 0));
}

void take_streams(const Plan& plan) {
  for (int number = 0; number <= STDERR_FILENO; ++number) {
    const int stream = plan.streams[static_cast<std::size_t>(number)];
    if (stream >= 0 && ::dup2(stream, number) < 0) fail(plan, Step::kDescriptors);
  }
}

bool write_file(const char* path, const char* text, std::size_t size) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, text, size) == static_cast<ssize_t>(size);
  const int error = errno;
  ::close(file);
  errno = error;
  return written;
}

// "ID ID 1": in the new user namespace as outside, and nobody else.
bool map_own(const char* path, unsigned id) {
  std::array<char, 40> line;
  char* at = std::to_chars(line.data(), line.data() + 16, id).ptr;
  *at++ = ' ';
  at = std::to_chars(at, at + 16, id).ptr;
  *at++ = ' ';
  *at++ = '1';
  return write_file(path, line.data(), static_cast<std::size_t>(at - line.data()));
}

void map_ids(const Plan& plan) {
  constexpr std::string_view kDeny = "deny";
  // A group may be mapped only where setgroups(2) is given up: user_namespaces(7).
  if (!write_file("/proc/self/setgroups", kDeny.data(), kDeny.size()) ||
      !map_own("/proc/self/uid_map", plan.user) || !map_own("/proc/self/gid_map", plan.group)) {
    fail(plan, Step::kNamespaces);
  }
}

// A procfs of the new pid namespace, mounted nowhere yet: the broker looks into it for the program.
int make_proc(const Plan& plan) {
  const auto context = static_cast<int>(::syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC));
  if (context < 0) fail(plan, Step::kProc);
  if (::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    fail(plan, Step::kProc);
  }
  const auto proc =
      static_cast<int>(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
                                 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (proc < 0) fail(plan, Step::kProc);
  ::close(context);
  say(plan, {Word::Kind::kProc, Step::kNone, 0, proc});
  return proc;
}

// The launcher's handlers are not the program's, nor is what it ignores or holds back.
void reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void lower_limit(const Plan& plan, int number, std::uint64_t value) {
  const auto resource = static_cast<__rlimit_resource>(number);
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) fail(plan, Step::kLimits);
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, value);
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(resource, &limit) != 0) fail(plan, Step::kLimits);
}

// The control socket comes to lie above the hard limit, where nothing else can: the filter lets
// messages with an address through on that one number (filter/conditions.cpp).
void place_control(const Plan& plan) {
  if (::dup2(plan.control, wire::CONTROL_FD) < 0) fail(plan, Step::kDescriptors);
  if (::close(plan.control) != 0) fail(plan, Step::kDescriptors);
}

// With a trap session the library places the first channel itself, above the soft limit.
void lower_open_files(const Plan& plan) {
  if (plan.control < 0) {
    lower_limit(plan, RLIMIT_NOFILE, plan.open_files);
    return;
  }
  lower_limit(plan, RLIMIT_NOFILE, wire::CONTROL_FD);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) fail(plan, Step::kLimits);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, plan.open_files);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) fail(plan, Step::kLimits);
}

void drop_capabilities(const Plan& plan) {
  // The ambient set goes with the permitted one; the bounding set grants nothing by itself once
  // no_new_privs is set.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capset, &header, none) != 0) fail(plan, Step::kCapabilities);
}

int load_filter(const Plan& plan) {
  sock_fprog program{static_cast<unsigned short>(plan.filter.size()),
                     const_cast<sock_filter*>(plan.filter.data())};
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                    SECCOMP_FILTER_FLAG_NEW_LISTENER | kWaitKillable, &program));
}

[[noreturn]] void become_program(const Plan& plan, pid_t init) {
  // Ends with init, which may be gone already.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail(plan, Step::kOutliveNobody);
  if (::getppid() != init) ::_exit(125);
  reset_signals();
  // Of its own, so that what it sends to its group does not reach init.
  if (::setpgid(0, 0) != 0) fail(plan, Step::kSession);
  ::umask(plan.umask);
  for (const session::ResourceLimit& limit : plan.limits) {
    lower_limit(plan, limit.resource, limit.value);
  }
  if (plan.control >= 0) place_control(plan);
  drop_capabilities(plan);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(plan, Step::kNoNewPrivs);
  if (plan.refuse_executable_memory && ::prctl(kSetMdwe, kRefuseExecGain, 0, 0, 0) != 0) {
    fail(plan, Step::kMdwe);
  }
  if (plan.ruleset >= 0) {
    if (::syscall(SYS_landlock_restrict_self, plan.ruleset, 0) != 0) fail(plan, Step::kLandlock);
    ::close(plan.ruleset);
  }
  // What follows the filter is native to it but for the exec.
  const pid_t self = ::getpid();
  const int listener = load_filter(plan);
  if (listener < 0) fail(plan, Step::kFilter);
  say(plan, {Word::Kind::kConfined, Step::kNone, self, listener});
  std::uint64_t go_on = 0;
  ssize_t size = 0;
  do {
    size = ::read(plan.go_on, &go_on, sizeof go_on);
  } while (size < 0 && errno == EINTR);
  if (size != sizeof go_on) fail(plan, Step::kExec);
  ::close(listener);
  lower_open_files(plan);
  ::execve(plan.path, plan.arguments, plan.environment);
  fail(plan, Step::kExec);
}

// Sends SIGKILL to the children of init, which the kernel lists in a file. Whose parent dies
// becomes one, since init is a subreaper.
void kill_children(int list) {
  std::array<char, 4096> text;
  pid_t child = 0;
  off_t at = 0;
  for (ssize_t size = 0; (size = ::pread(list, text.data(), text.size(), at)) > 0; at += size) {
    for (ssize_t i = 0; i < size; ++i) {
      const char letter = text[static_cast<std::size_t>(i)];
      if (letter >= '0' && letter <= '9') {
        child = child * 10 + (letter - '0');
      } else {
        if (child > 0) ::kill(child, SIGKILL);
        child = 0;
      }
    }
  }
}

class Init {
 public:
  Init(const Plan& plan, pid_t program, int children)
      : plan_(plan),
        program_(program),
        children_(children),
        deadline_(now() + plan.wall_time * 1000) {}

  // Until nobody is left, or will be once this process ends.
  void serve(int signals) {
    std::array<pollfd, 2> ready{{{signals, POLLIN, 0}, {plan_.launcher, POLLIN, 0}}};
    while (reap()) {
      if (ended_) {
        // With the first process of a pid namespace the kernel kills all others.
        if ((plan_.namespaces & CLONE_NEWPID) != 0) return;
        kill_children(children_);
        ::poll(nullptr, 0, kKillAgain);
        continue;
      }
      ::poll(ready.data(), ready.size(), time_left());
      if (plan_.wall_time != 0 && now() >= deadline_) {
        if (!killed_) say(plan_, {Word::Kind::kTimeOver, Step::kNone, program_, 0});
        kill_program();
      }
      if (ready[1].revents != 0) kill_program();
      signalfd_siginfo signal{};
      if (::read(signals, &signal, sizeof signal) == sizeof signal && signal.ssi_signo == SIGTERM) {
        kill_program();
      }
    }
  }

 private:
  // Between two looks for children of those that were killed, milliseconds.
  static constexpr int kKillAgain = 1;

  static std::uint64_t now() {  // milliseconds
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
  }

  // For poll(2).
  int time_left() const {
    constexpr std::uint64_t kLongest = 3'600'000;
    if (killed_) return kKillAgain;
    if (plan_.wall_time == 0) return -1;
    const std::uint64_t at = now();
    const std::uint64_t left = at < deadline_ ? deadline_ - at : 0;
    return static_cast<int>(std::min(left, kLongest));
  }

  void kill_program() {
    killed_ = true;
    ::kill(program_, SIGKILL);
  }

  // Waits for all that ended; false when there is nobody.
  bool reap() {
    for (;;) {
      int status = 0;
      const pid_t child = ::waitpid(-1, &status, WNOHANG | __WALL);
      if (child == 0) return true;
      if (child < 0) return errno != ECHILD;
      if (child != program_) continue;
      say(plan_, {Word::Kind::kEnded, Step::kNone, program_, status});
      ended_ = true;
    }
  }

  const Plan& plan_;
  const pid_t program_;
  const int children_;  // the list of its own; without a pid namespace
  const std::uint64_t deadline_;
  bool ended_ = false;
  bool killed_ = false;
};

int watch_signals(const Plan& plan) {
  sigset_t watched;
  ::sigemptyset(&watched);
  ::sigaddset(&watched, SIGCHLD);
  ::sigaddset(&watched, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  const int signals = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail(plan, Step::kOutliveNobody);
  return signals;
}

}  // namespace

const char* name_of(Step step) {
  switch (step) {
    case Step::kNamespaces:
      return "cannot make namespaces";
    case Step::kProc:
      return "cannot make a procfs for the program's pid namespace";
    case Step::kRoot:
      return "cannot make a root of the program's own";
    case Step::kOutliveNobody:
      return "cannot bind the program's life to the launcher's";
    case Step::kSession:
      return "cannot start a session";
    case Step::kDescriptors:
      return "cannot close inherited descriptors";
    case Step::kFork:
      return "cannot start a process";
    case Step::kLimits:
      return "cannot lower a limit";
    case Step::kCapabilities:
      return "cannot drop capabilities";
    case Step::kNoNewPrivs:
      return "cannot set no_new_privs";
    case Step::kMdwe:
      return "cannot refuse new executable memory (MDWE, Linux 6.3)";
    case Step::kLandlock:
      return "Landlock refuses the ruleset";
    case Step::kFilter:
      return "cannot install the filter (Linux 5.19 or later is needed)";
    case Step::kExec:
      return "cannot execute the program";
    case Step::kNone:
      break;
  }
  return "failed";
}

pid_t start_init(const Plan& plan, int& process) {
  constexpr std::uint64_t kNoSignal = 0;
  return raw_clone(plan.namespaces | CLONE_PIDFD | kNoSignal, &process);
}

void run_init(const Plan& plan) {
  reset_signals();
  // The launcher takes descriptors out of this process and the next, and reads the program's
  // memory; and /proc/self is not this user's otherwise.
  if (::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) fail(plan, Step::kOutliveNobody);
  if ((plan.namespaces & CLONE_NEWUSER) != 0) map_ids(plan);
  take_streams(plan);
  close_others(plan, {plan.say, plan.go_on, plan.ruleset, plan.launcher, plan.root->cwd.get(),
                      plan.control});
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) fail(plan, Step::kOutliveNobody);
  if (::setsid() < 0) fail(plan, Step::kSession);
  const int signals = watch_signals(plan);
  ::signal(SIGPIPE, SIG_IGN);  // nobody hears it any more once the launcher is dead
  const pid_t init = ::getpid();
  const bool counts = (plan.namespaces & CLONE_NEWPID) != 0;
  const int proc = counts ? make_proc(plan) : -1;
  // Before /proc is out of reach.
  const int children = counts ? -1 : ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (!counts && children < 0) fail(plan, Step::kOutliveNobody);
  if ((plan.namespaces & CLONE_NEWNS) != 0) {
    std::array<int, kMaxTemporaries> folders;
    const int error = build_root(*plan.root, proc, folders);
    if (error != 0) fail(plan, Step::kRoot, error);
    for (std::size_t i = 0; i < plan.root->temporaries.size(); ++i) {
      say(plan, {Word::Kind::kFolder, Step::kNone, 0, folders[i]});
    }
  }
  const pid_t program = raw_clone(SIGCHLD, nullptr);
  if (program < 0) fail(plan, Step::kFork);
  if (program == 0) become_program(plan, init);
  if (plan.control >= 0) ::close(plan.control);
  // Whoever reads what the program writes sees its end when the program closes it.
  for (int number = 0; number <= STDERR_FILENO; ++number) ::close(number);
  Init(plan, program, children).serve(signals);
  ::_exit(0);
}

}  // namespace torno::launch
