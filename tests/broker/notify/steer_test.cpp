// O_PATH opens and chdir, for which the supervisor has the thread itself make calls: in whatever
// thread, whatever else happens meanwhile, and nothing of it stays behind.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

constexpr int kRounds = 1000;

class NotifySteer : public Twice {
 protected:
  const std::string dir_ = path("dir");
  const std::string file_ = path("file");

  // Changes to the folder and opens the file as a path; what a correct thread sees.
  bool works() const {
    if (::syscall(SYS_chdir, dir_.c_str()) != 0) return false;
    const long fd = ::syscall(SYS_open, file_.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return false;
    struct stat status{};
    const bool is_file = ::fstat(static_cast<int>(fd), &status) == 0 && status.st_size == 7 &&
                         ::fcntl(static_cast<int>(fd), F_GETFL) == O_PATH;
    ::close(static_cast<int>(fd));
    return is_file;
  }
  int run(const Body& body) const { return run_supervised(policy(), body); }
};

TEST_F(NotifySteer, LeavesNoDescriptorBehind) {
  EXPECT_EQ(run([&] {
              if (!works()) return 1;
              const auto before = open_descriptors();
              for (int i = 0; i < kRounds; ++i) {
                if (!works()) return 2;
              }
              return open_descriptors() == before ? 0 : 3;
            }),
            0);
}

// What is refused, or fails, is over before anything is steered.
TEST_F(NotifySteer, ThatFailsLeavesNoDescriptorBehind) {
  EXPECT_EQ(run([&] {
              const auto before = open_descriptors();
              for (int i = 0; i < 100; ++i) {
                if (::chdir(file_.c_str()) == 0 || errno != ENOTDIR) return 1;
                if (::chdir("/etc") == 0 || errno != EACCES) return 2;
                if (::open("/etc/passwd", O_PATH) >= 0) return 3;
                if (::open(path("nothing").c_str(), O_PATH) >= 0 || errno != ENOENT) return 4;
              }
              return open_descriptors() == before ? 0 : 5;
            }),
            0);
}

TEST_F(NotifySteer, WithoutRoomForADescriptor) {
  EXPECT_EQ(run([&] {
              std::vector<int> taken;
              for (int fd; (fd = ::dup(0)) >= 0;) taken.push_back(fd);
              if (::open(file_.c_str(), O_PATH) >= 0 || errno != EMFILE) return 1;
              const auto before = open_descriptors();
              // One place: for the socket, and none for what comes by it.
              ::close(taken.back());
              if (::open(file_.c_str(), O_PATH) >= 0 || errno != EMFILE) return 2;
              if (::dup(0) < 0) return 4;
              return open_descriptors() == before ? 0 : 3;
            }),
            0);
}

TEST_F(NotifySteer, InThreadsThatAreNotTheFirst) {
  EXPECT_EQ(run([&] {
              std::atomic<int> wrong = 0;
              const auto before = open_descriptors();
              std::vector<std::thread> threads;
              for (int i = 0; i < 8; ++i) {
                threads.emplace_back([&] {
                  for (int round = 0; round < 100; ++round) {
                    if (!works()) ++wrong;
                  }
                });
              }
              for (std::thread& thread : threads) thread.join();
              if (wrong != 0) return 1;
              return open_descriptors() == before ? 0 : 2;
            }),
            0);
}

TEST_F(NotifySteer, InAChildOfVfork) {
  EXPECT_EQ(run([&] {
              for (int round = 0; round < 100; ++round) {
                if (in_vfork([&] { return works() ? 0 : 1; }) != 0) return 1;
              }
              return 0;
            }),
            0);
}

// On a stack with hardly more room than the call itself takes.
constexpr std::size_t kTinyStack = 512;

long chdir_with_stack(const char* directory, void* stack) {
  long result = 0;
  asm volatile(
      "mov %%rsp, %%r12\n\t"
      "mov %[stack], %%rsp\n\t"
      "syscall\n\t"
      "mov %%r12, %%rsp\n\t"
      : "=a"(result)
      : "a"(SYS_chdir), "D"(directory), [stack] "r"(stack)
      : "rcx", "r11", "r12", "memory");
  return result;
}

TEST_F(NotifySteer, OnATinyStack) {
  EXPECT_EQ(run([&] {
              constexpr std::size_t kPage = 4096;
              auto* const pages = static_cast<char*>(::mmap(
                  nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
              ::mprotect(pages, kPage, PROT_NONE);
              const auto before = open_descriptors();
              if (chdir_with_stack(dir_.c_str(), pages + kPage + kTinyStack) != 0) return 1;
              // With none at all it fails, and leaves nothing behind.
              if (chdir_with_stack(dir_.c_str(), pages + kPage) != -EFAULT) return 2;
              return open_descriptors() == before ? 0 : 3;
            }),
            0);
}

volatile sig_atomic_t g_signals = 0;
std::atomic<int> g_wrong = 0;

TEST_F(NotifySteer, OnAnAlternateSignalStack) {
  static const std::function<bool()> check = [this] { return works(); };
  EXPECT_EQ(run([&] {
              static std::array<char, 65536> memory;
              stack_t stack{};
              stack.ss_sp = memory.data();
              stack.ss_size = memory.size();
              ::sigaltstack(&stack, nullptr);
              struct sigaction action{};
              action.sa_flags = SA_ONSTACK;
              action.sa_handler = [](int) {
                if (!check()) ++g_wrong;
                g_signals = g_signals + 1;
              };
              ::sigaction(SIGUSR1, &action, nullptr);
              for (int i = 0; i < 100; ++i) ::raise(SIGUSR1);
              return g_wrong == 0 && g_signals == 100 ? 0 : 1;
            }),
            0);
}

// No signal is lost or comes in between, and no call fails for one.
TEST_F(NotifySteer, WhileSignalsArrive) {
  EXPECT_EQ(run([&] {
              struct sigaction action{};
              action.sa_flags = SA_RESTART;
              action.sa_handler = [](int) { g_signals = g_signals + 1; };
              ::sigaction(SIGALRM, &action, nullptr);
              const auto before = open_descriptors();
              const timeval time{0, 1000};
              const itimerval timer{time, time};
              ::setitimer(ITIMER_REAL, &timer, nullptr);
              int wrong = 0;
              for (int i = 0; i < kRounds; ++i) {
                if (!works()) ++wrong;
              }
              const itimerval none{};
              ::setitimer(ITIMER_REAL, &none, nullptr);
              if (wrong != 0) return 1;
              if (g_signals == 0) return 2;
              return open_descriptors() == before ? 0 : 3;
            }),
            0);
}

bool is_stopped(pid_t process) {
  const Fd file(::open(("/proc/" + std::to_string(process) + "/stat").c_str(), O_RDONLY));
  std::array<char, 256> text{};
  return ::read(file.get(), text.data(), text.size() - 1) > 0 &&
         std::strstr(text.data(), ") T ") != nullptr;
}

// SIGSTOP cannot be held back. It stops the process as ever, and the call returns what it would.
TEST_F(NotifySteer, WhileItIsStoppedAndContinued) {
  Record ready;
  Supervised child(policy(), [&] {
    const auto before = open_descriptors();
    for (int i = 0; i < kRounds; ++i) {
      if (!works()) return 1;
      ready.number(i);
    }
    return open_descriptors() == before ? 0 : 2;
  });
  for (int i = 0; i < 50; ++i) {
    ::kill(child.pid(), SIGSTOP);
    ASSERT_TRUE(torno::test::eventually(
        [&] { return ready.numbers().size() == kRounds || is_stopped(child.pid()); }));
    ::kill(child.pid(), SIGCONT);
  }
  const int status = child.wait();
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Whoever rewrites its own memory is answered by what was read, and harms nobody but itself.
TEST_F(NotifySteer, WhileAnotherThreadRewritesTheMemory) {
  const std::string other = path("dirlink");
  const int code = run([&] {
    std::array<char, 4096> name{};
    std::atomic<bool> stop = false;
    const auto put = [&name](const std::string& text) {
      for (std::size_t i = 0; i <= text.size(); ++i) {
        std::atomic_ref(name[i]).store(text.c_str()[i], std::memory_order_relaxed);
      }
    };
    put(dir_);
    std::thread writer([&] {
      while (!stop) {
        put("/etc");
        put(dir_);
      }
    });
    const auto before = open_descriptors();
    int inside = 0;
    for (int i = 0; i < kRounds; ++i) {
      if (::syscall(SYS_chdir, name.data()) == 0) ++inside;
      char here[4096] = {};
      if (::syscall(SYS_getcwd, here, sizeof here) > 0 && std::strcmp(here, "/etc") == 0) return 1;
    }
    stop = true;
    writer.join();
    if (inside == 0) return 2;
    return open_descriptors() == before ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
}

// Killed wherever it is: the kernel's word of its end comes, which a tracer could keep back.
TEST_F(NotifySteer, KilledAtAnyMoment) {
  const int before = torno::test::count_fds(::getpid());
  for (int round = 0; round < 100; ++round) {
    Supervised child(policy(), [&] {
      std::thread([&] {
        for (;;) works();
      }).detach();
      for (;;) works();
      return 0;
    });
    ::usleep(static_cast<useconds_t>(round * 37 % 3000));
    ::kill(child.pid(), SIGKILL);
    const int status = child.wait();
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
  }
  EXPECT_TRUE(
      torno::test::eventually([&] { return torno::test::count_fds(::getpid()) <= before; }));
}

// The same by a sibling thread that ends, or replaces, the process.
TEST_F(NotifySteer, EndedByAnotherThread) {
  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(run([&] {
                std::thread([&] {
                  for (;;) works();
                }).detach();
                ::usleep(static_cast<useconds_t>(round * 53 % 2000));
                return 7;
              }),
              7);
  }
}

}  // namespace
}  // namespace torno::notify::test
