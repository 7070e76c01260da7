// A process's own descriptors by every name they have.
#include <sys/syscall.h>
#include <sys/un.h>

#include <cerrno>
#include <thread>

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

// All of /proc is allowed, so that only what the broker does by itself stands in the way.
class NotifyOwnFd : public Twice {
 protected:
  NotifyOwnFd() { rules_ = "file { path: \"/proc/**\" allow: [READ, WRITE] }\n"; }
};

std::vector<std::string> names_of(int fd) {
  const std::string number = std::to_string(fd);
  return {"/dev/fd/" + number, "/proc/self/fd/" + number, "/proc/thread-self/fd/" + number,
          "/proc/" + std::to_string(::getpid()) + "/fd/" + number};
}

TEST_F(NotifyOwnFd, OpenedAgainByEverySpelling) {
  expect_same([&](Record& record) {
    const int file = ::open(path("file").c_str(), O_RDWR);
    const int directory = ::open(path("dir").c_str(), O_RDONLY | O_DIRECTORY);
    for (const std::string& name : names_of(file)) {
      const int again = ::open(name.c_str(), O_RDONLY);
      char text[16] = {};
      record.result(::read(again, text, sizeof text));
      record.text(text);
      ::close(again);
    }
    for (const std::string& name : names_of(directory)) {
      for (const char* rest : {"/inner", "//inner", "/../file", "/nothing", "/.", "/"}) {
        const int inner = ::open((name + rest).c_str(), O_RDONLY);
        record.result(inner >= 0 ? 0 : -1);
        if (inner >= 0) ::close(inner);
      }
    }
    ::dup2(file, 0);
    const int input = ::open("/dev/stdin", O_RDONLY);
    record.result(input >= 0 ? 0 : -1);
  });
}

TEST_F(NotifyOwnFd, NumbersThatAreNone) {
  expect_same([&](Record& record) {
    for (const char* number : {"999", "99999999999", "01", "-1", "x", ""}) {
      const int fd = ::open((std::string("/dev/fd/") + number).c_str(), O_RDONLY | O_DIRECTORY);
      record.number(*number != '\0' && fd >= 0 ? 1 : 0);
    }
  });
}

// Another process's descriptors are not its own, whatever their numbers.
TEST_F(NotifyOwnFd, OfTheParent) {
  const Recorded body = [&](Record& record) {
    const int file = ::open(path("file").c_str(), O_RDONLY);
    const std::string parent = "/proc/" + std::to_string(::getpid()) + "/fd/";
    const pid_t child = ::fork();
    if (child == 0) {
      const int again = ::open((parent + std::to_string(file)).c_str(), O_RDONLY);
      record.number(again >= 0 ? 0 : errno);
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
  };
  EXPECT_EQ(outside(body), std::vector<long>{0});
  EXPECT_EQ(inside(body), std::vector<long>{EACCES});
}

// The first thread of a process may have ended, and with it the number's own descriptors.
TEST_F(NotifyOwnFd, AfterTheFirstThreadEnded) {
  const bool by_thread = ::syscall(SYS_pidfd_open, ::getpid(), O_EXCL) >= 0;
  if (!by_thread) GTEST_SKIP() << "needs pidfds of threads (Linux 6.9)";
  expect_same([&](Record& record) {
    const int directory = ::open(path("dir").c_str(), O_RDONLY | O_DIRECTORY);
    const pid_t first = ::gettid();
    std::thread([&] {
      while (::syscall(SYS_tgkill, first, first, 0) == 0) {
        char text[256] = {};
        const int fd = ::open(("/proc/" + std::to_string(first) + "/stat").c_str(), O_RDONLY);
        if (fd < 0 || ::read(fd, text, sizeof text - 1) <= 0) break;
        ::close(fd);
        if (std::string(text).contains(") Z ")) break;
      }
      record.result(::openat(directory, "inner", O_RDONLY) >= 0 ? 0 : -1);
      ::_exit(0);
    }).detach();
    ::syscall(SYS_exit, 0);
  });
}

}  // namespace
}  // namespace torno::notify::test
