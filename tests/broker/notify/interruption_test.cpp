// Slow calls and signals: EINTR and restarts as outside, and nobody waits for a call that is slow.
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

volatile sig_atomic_t g_signals = 0;
void count_signal(int) {
  g_signals = g_signals + 1;
}

void handle(int signal, int flags) {
  struct sigaction action{};
  action.sa_handler = count_signal;
  action.sa_flags = flags;
  ::sigaction(signal, &action, nullptr);
}

// A SIGALRM in a while, and again.
void start_alarms(int milliseconds) {
  const timeval time{0, milliseconds * 1000};
  const itimerval timer{time, time};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

void stop_alarms() {
  const itimerval none{};
  ::setitimer(ITIMER_REAL, &none, nullptr);
}

class NotifyInterruption : public Twice {};

TEST_F(NotifyInterruption, OfAnOpenThatWaitsForAWriter) {
  expect_same([&](Record& record) {
    handle(SIGALRM, 0);
    start_alarms(50);
    record.result(::open(path("fifo").c_str(), O_RDONLY));
    stop_alarms();
    record.number(g_signals > 0 ? 1 : 0);
  });
}

// The open is made once more, until somebody writes.
TEST_F(NotifyInterruption, WithRestart) {
  expect_same([&](Record& record) {
    handle(SIGALRM, SA_RESTART);
    const pid_t writer = ::fork();
    if (writer == 0) {
      while (::usleep(300'000) != 0) {
      }
      ::_exit(::open(path("fifo").c_str(), O_WRONLY) >= 0 ? 0 : 1);
    }
    start_alarms(50);
    const int fd = ::open(path("fifo").c_str(), O_RDONLY);
    stop_alarms();
    record.number(fd >= 0 ? 0 : errno);
    record.number(g_signals > 0 ? 1 : 0);
    int status = 0;
    ::waitpid(writer, &status, 0);
    record.number(status);
  });
}

TEST_F(NotifyInterruption, IgnoredAndBlockedSignalsInterruptNothing) {
  expect_same([&](Record& record) {
    ::signal(SIGALRM, SIG_IGN);
    sigset_t usr;
    ::sigemptyset(&usr);
    ::sigaddset(&usr, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &usr, nullptr);
    ::kill(::getpid(), SIGUSR1);
    const pid_t writer = ::fork();
    if (writer == 0) {
      ::usleep(200'000);
      ::_exit(::open(path("fifo").c_str(), O_WRONLY) >= 0 ? 0 : 1);
    }
    start_alarms(20);
    const int fd = ::open(path("fifo").c_str(), O_RDONLY);
    stop_alarms();
    record.number(fd >= 0 ? 0 : errno);
    ::waitpid(writer, nullptr, 0);
  });
}

// One signal for the whole process, taken by one of the threads: the others are not to see a number
// that is the kernel's own (ERESTARTSYS).
TEST_F(NotifyInterruption, OfManyThreadsByOneSignal) {
  const int code = run_supervised(policy(), [&] {
    handle(SIGALRM, 0);
    constexpr int kThreads = 8;
    std::atomic<int> interrupted = 0;
    std::atomic<int> wrong = 0;
    std::atomic<int> ended = 0;
    for (int i = 0; i < kThreads; ++i) {
      std::thread([&] {
        const int fd = ::open(path("fifo").c_str(), O_RDONLY);
        if (fd < 0) ++(errno == EINTR ? interrupted : wrong);
        ++ended;
      }).detach();
    }
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (int i = 0; i < 20; ++i) {
      ::kill(::getpid(), SIGALRM);
      ::usleep(50'000);
    }
    while (ended < kThreads) {
      const int fd = ::open(path("fifo").c_str(), O_WRONLY | O_NONBLOCK);
      if (fd >= 0) ::close(fd);
      ::usleep(1'000);
    }
    if (wrong != 0) return 1;
    return interrupted > 0 ? 0 : 2;
  });
  EXPECT_EQ(code, 0);
}

// A unix server whose queue is full.
TEST_F(NotifyInterruption, OfAConnect) {
  rules_ = "connect { unix: \"" + root_.path() + "/**\" }\n";
  const std::string name = path("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, name.c_str(), sizeof address.sun_path - 1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const Fd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(server.get(), generic, sizeof address), 0);
  ASSERT_EQ(::listen(server.get(), 0), 0);
  const auto connect = [&] {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    return ::connect(fd, generic, sizeof address);
  };
  const Recorded body = [&](Record& record) {
    handle(SIGALRM, 0);
    record.result(connect());
    start_alarms(50);
    record.result(connect());
    stop_alarms();
  };
  const auto expected = outside(body);
  EXPECT_EQ(expected, (std::vector<long>{0, 0, -1, EINTR}));
  for (int i = 0; i < 8; ++i) {  // whatever is in the queue leaves it
    if (::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK) < 0) break;
    pollfd more{server.get(), POLLIN, 0};
    if (::poll(&more, 1, 0) == 0) break;
  }
  EXPECT_EQ(inside(body), expected);
}

// While one thread waits, another is answered.
TEST_F(NotifyInterruption, AWaitingOpenDelaysNobody) {
  const int code = run_supervised(policy(), [&] {
    std::atomic<int> ended = 0;
    constexpr int kThreads = 16;
    for (int i = 0; i < kThreads; ++i) {
      std::thread([&] {
        if (::open(path("fifo").c_str(), O_RDONLY) >= 0) ++ended;
      }).detach();
    }
    for (int i = 0; i < 200; ++i) {
      const int fd = ::open(path("file").c_str(), O_RDONLY);
      if (fd < 0 || ended != 0) return 1;
      ::close(fd);
    }
    while (ended < kThreads) {
      const int fd = ::open(path("fifo").c_str(), O_WRONLY | O_NONBLOCK);
      if (fd >= 0) ::close(fd);
      ::sched_yield();
    }
    return 0;
  });
  EXPECT_EQ(code, 0);
}

// Processes that are killed while their call waits: the others are served, and the supervisor holds
// nothing of the dead.
TEST_F(NotifyInterruption, KilledWhileACallWaits) {
  const auto count = [] { return torno::test::count_fds(::getpid()); };
  const int code = run_supervised(policy(), [&] {
    for (int round = 0; round < 20; ++round) {
      std::array<pid_t, 8> children{};
      for (pid_t& child : children) {
        child = ::fork();
        if (child == 0) {
          ::open(path("fifo").c_str(), O_RDONLY);
          ::_exit(0);
        }
      }
      const int fd = ::open(path("file").c_str(), O_RDONLY);
      if (fd < 0) return 1;
      ::close(fd);
      const int writer = ::open(path("fifo").c_str(), O_WRONLY);
      if (writer < 0) return 2;
      ::close(writer);
      for (const pid_t child : children) {
        int status = 0;
        while (::waitpid(child, &status, WNOHANG) == 0) {
          const int more = ::open(path("fifo").c_str(), O_WRONLY | O_NONBLOCK);
          if (more >= 0) ::close(more);
        }
      }
    }
    return 0;
  });
  EXPECT_EQ(code, 0);
  const int before = count();
  for (int round = 0; round < 20; ++round) {
    const Supervised child(policy(), [&] {
      for (int i = 0; i < 4; ++i) {
        std::thread([&] { ::open(path("fifo").c_str(), O_RDONLY); }).detach();
      }
      for (;;) {
        const int fd = ::open(path("file").c_str(), O_RDONLY);
        if (fd >= 0) ::close(fd);
      }
      return 0;
    });
    ::usleep(static_cast<useconds_t>(round) * 1000);
    ::kill(child.pid(), SIGKILL);
  }
  EXPECT_TRUE(torno::test::eventually([&] { return count() <= before; })) << count();
}

}  // namespace
}  // namespace torno::notify::test
