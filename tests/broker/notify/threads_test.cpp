// Many threads and processes at once, and how they end.
#include <signal.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

class NotifyThreads : public Twice {};

TEST_F(NotifyThreads, HundredsOpenAndLookAtOnce) {
  const int code = run_supervised(policy(), [&] {
    constexpr int kThreads = 300;
    constexpr int kRounds = 20;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        struct stat status{};
        for (int round = 0; round < kRounds; ++round) {
          const int fd = ::open(path("file").c_str(), O_RDONLY);
          char text[16] = {};
          if (fd < 0 || ::read(fd, text, sizeof text) != 7) ++wrong;
          if (fd >= 0) ::close(fd);
          if (::stat(path("dir/inner").c_str(), &status) != 0 || status.st_size != 5) ++wrong;
          if (::open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return wrong == 0 && open_descriptors().size() < 20 ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST_F(NotifyThreads, ChildrenOfChildren) {
  const int code = run_supervised(policy(), [&] {
    for (int depth = 0; depth < 20; ++depth) {
      const int fd = ::open(path("file").c_str(), O_RDONLY);
      if (fd < 0) return 1;
      ::close(fd);
      if (::open("/etc/passwd", O_RDONLY) >= 0) return 2;
      const pid_t child = ::fork();
      if (child < 0) return 3;
      if (child > 0) {
        int status = 0;
        if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 4;
        return WEXITSTATUS(status);
      }
    }
    return 0;
  });
  EXPECT_EQ(code, 0);
}

// A child of vfork opens by a name in its parent's memory.
TEST_F(NotifyThreads, ChildOfVfork) {
  const std::string file = path("file");
  const int code = run_supervised(policy(), [&] {
    for (int round = 0; round < 100; ++round) {
      const char* const name = file.c_str();
      if (in_vfork([name] { return ::syscall(SYS_open, name, O_RDONLY) >= 0 ? 0 : 1; }) != 0) {
        return 1;
      }
    }
    return open_descriptors().size() < 20 ? 0 : 2;
  });
  EXPECT_EQ(code, 0);
}

// Nothing is executed but what an EXECUTE rule names, by whatever call.
TEST_F(NotifyThreads, ExecuteWithoutARule) {
  const auto attempts = [](Record& record) {
    const pid_t child = ::fork();  // the first exec of the first process is the launcher's own
    if (child == 0) {
      const char* const arguments[] = {"true", nullptr};
      const char* const none[] = {nullptr};
      ::execve("/bin/true", const_cast<char* const*>(arguments), const_cast<char* const*>(none));
      ::_exit(errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    record.number(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  };
  EXPECT_EQ(outside(attempts), std::vector<long>{0});
  EXPECT_EQ(inside(attempts), std::vector<long>{EACCES});
}

}  // namespace
}  // namespace torno::notify::test
