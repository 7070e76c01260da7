// The notify program in this kernel: a child that runs under it, and a supervisor that answers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "broker/base/fd.h"
#include "broker/filter/program.h"
#include "proto/wire.pb.h"
#include "tests/broker/filter/child.h"
#include "tests/broker/filter/simulate.h"
#include "tests/support/processes.h"

namespace torno::filter::test {
namespace {

constexpr int kFine = 0;
constexpr int kWrong = 1;
constexpr int kNotLoaded = 99;

constexpr unsigned kListener = SECCOMP_FILTER_FLAG_NEW_LISTENER;
constexpr unsigned kWaitKillable = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19

// The listener; -1: not loaded.
int load_listener(const Instructions& program) {
  const sock_fprog filter = {static_cast<unsigned short>(program.size()),
                             const_cast<sock_filter*>(program.data())};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  for (const unsigned flags : {kListener | kWaitKillable, kListener}) {
    const long fd = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    if (fd >= 0) return static_cast<int>(fd);
  }
  return -1;
}

// A child under the notify program of the empty policy, and what its supervisor needs.
class Supervised {
 public:
  explicit Supervised(const std::function<int()>& body) {
    const Instructions program = compile_notify("");
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Fd parent_end(ends[0]);
    Fd child_end(ends[1]);
    child_ = torno::test::fork_alone();
    if (child_ == 0) {
      parent_end.reset();
      const int fd = load_listener(program);
      // Native calls alone: nobody answers yet. It stays until its listener has been taken.
      char taken = 0;
      if (::write(child_end.get(), &fd, sizeof fd) != sizeof fd || fd < 0) ::_exit(kNotLoaded);
      if (::read(child_end.get(), &taken, 1) != 1) ::_exit(kNotLoaded);
      ::_exit(body());
    }
    child_end.reset();
    int number = -1;
    EXPECT_EQ(::read(parent_end.get(), &number, sizeof number), sizeof number);
    process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
    EXPECT_TRUE(process_);
    listener_.reset(static_cast<int>(::syscall(SYS_pidfd_getfd, process_.get(), number, 0)));
    EXPECT_TRUE(listener_) << errno;
    EXPECT_EQ(::write(parent_end.get(), "", 1), 1);
  }

  // The next call; false once the child has ended.
  bool receive(seccomp_notif& call) const {
    if (!listener_) return false;
    // Before Linux 6.11 a listener tells the end of a child only when that has been waited for.
    pollfd waiting[] = {{listener_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
    while (::poll(waiting, 2, -1) < 0 && errno == EINTR) {
    }
    if ((waiting[0].revents & POLLIN) == 0) return false;
    call = {};
    return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0;
  }

  int answer(const seccomp_notif& call, int error, std::int64_t value = 0) const {
    seccomp_notif_resp response{};
    response.id = call.id;
    response.error = -error;
    response.val = value;
    return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  // The number that the descriptor has in the child.
  int answer_with(const seccomp_notif& call, int fd) const {
    seccomp_notif_addfd added{};
    added.id = call.id;
    added.flags = SECCOMP_ADDFD_FLAG_SEND;
    added.srcfd = static_cast<unsigned>(fd);
    return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &added);
  }

  // A call that nobody has answered fails without a listener, so a wrong child ends as well.
  std::string end() {
    listener_.reset();
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
  }

 private:
  pid_t child_ = -1;
  Fd process_;
  Fd listener_;
};

TEST(NotifyKernel, AnErrnoAndADescriptorAnswerAnOpen) {
  const Fd source(::memfd_create("answer", MFD_CLOEXEC));
  ASSERT_EQ(::pwrite(source.get(), "x", 1, 0), 1);
  Supervised child([] {
    if (::syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY) >= 0 || errno != EXDEV) return kWrong;
    const long fd = ::syscall(SYS_openat, AT_FDCWD, "/no/such", O_RDONLY);
    char byte = 0;
    return fd >= 0 && ::pread(static_cast<int>(fd), &byte, 1, 0) == 1 && byte == 'x' ? kFine
                                                                                     : kWrong + 1;
  });
  seccomp_notif call{};
  ASSERT_TRUE(child.receive(call));
  EXPECT_EQ(call.data.nr, SYS_openat);
  EXPECT_EQ(child.answer(call, EXDEV), 0);
  ASSERT_TRUE(child.receive(call));
  EXPECT_EQ(call.data.nr, SYS_openat);
  EXPECT_GE(child.answer_with(call, source.get()), 0);
  EXPECT_EQ(child.end(), exited(kFine));
}

// What is translated under the other transport asks nobody; a supervisor that answered nothing
// would leave the child waiting.
TEST(NotifyKernel, TranslatedCallsAskNobody) {
  Supervised child([] {
    struct sigaction action{};
    action.sa_handler = SIG_IGN;
    sigset_t all;
    sigfillset(&all);
    rlimit limit{};
    const timespec none{};
    if (::sigaction(SIGSYS, &action, nullptr) != 0) return 1;
    if (::sigprocmask(SIG_BLOCK, &all, nullptr) != 0) return 2;
    if (::ppoll(nullptr, 0, &none, &all) != 0) return 3;
    if (::getrlimit(RLIMIT_CORE, &limit) != 0 || ::setrlimit(RLIMIT_CORE, &limit) != 0) return 4;
    ::umask(022);
    if (::syscall(SYS_close_range, 100, ~0U, 0) != 0) return 5;
    if (::syscall(SYS_clone3, nullptr, 0) != -1 || errno != ENOSYS) return 6;
    return kFine;
  });
  seccomp_notif call{};
  EXPECT_FALSE(child.receive(call)) << call.data.nr;
  EXPECT_EQ(child.end(), exited(kFine));
}

volatile sig_atomic_t g_trapped = 0;
void count_trap(int) {
  g_trapped = g_trapped + 1;
}

// The kernel takes a trap before a notification, and native only what both let through.
TEST(NotifyKernel, ATrapProgramOnTopGoesFirst) {
  const Instructions trap = compile_text("");
  Supervised child([&] {
    struct sigaction action{};
    action.sa_handler = count_trap;
    if (::sigaction(SIGSYS, &action, nullptr) != 0) return 1;
    if (!load_filter(trap)) return kNotLoaded;
    ::syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY);
    if (g_trapped != 1) return 2;
    const std::uint64_t mark = std::uint64_t{wire::REISSUE_MARK} << 32;
    ::syscall(SYS_umask, mark | 022);
    if (::syscall(SYS_close, 4095) != -1 || errno != EBADF) return 3;
    return g_trapped == 1 ? kFine : 4;
  });
  seccomp_notif call{};
  EXPECT_FALSE(child.receive(call)) << call.data.nr;
  EXPECT_EQ(child.end(), exited(kFine));
}

// Messages leave natively through the control descriptor, so nothing of the program's may come
// there: it is the hard limit that says so.
TEST(NotifyKernel, TheLimitKeepsTheControlDescriptor) {
  const Instructions program = compile_notify("");
  const auto duplicate = [&](rlim_t hard) {
    return in_child([&] {
      const rlimit limit{hard, hard};
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return kNotLoaded;
      if (!load_filter(program)) return kNotLoaded;
      return ::dup2(0, wire::CONTROL_FD) >= 0 ? kFine : errno;
    });
  };
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max > wire::CONTROL_FD) {
    EXPECT_EQ(duplicate(wire::CONTROL_FD + 1), exited(kFine));
  }
  EXPECT_EQ(duplicate(wire::CONTROL_FD), exited(EBADF));
}

}  // namespace
}  // namespace torno::filter::test
