// Target: another thread's memory, descriptors, directory and mask, read from outside.
#include "broker/notify/target.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "tests/support/processes.h"
#include "tests/support/temporary_directory.h"

namespace torno::notify {
namespace {

constexpr std::size_t kPage = 4096;

std::uint64_t address_of(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

// A forked process that stands still once it has prepared itself. What it may touch is mapped here
// before, so both know the addresses.
class Standing {
 public:
  explicit Standing(const std::function<void()>& prepare = [] {}) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    pid_ = torno::test::fork_alone();
    if (pid_ == 0) {
      prepare();
      (void)!::write(ends[1], "x", 1);
      for (;;) ::pause();
    }
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Standing() {
    if (pid_ > 0) end();
  }
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;

  void end() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }
  Target target() const { return Target(pid_); }

 private:
  pid_t pid_ = -1;
};

// Three pages, of which the child may use the middle one alone.
class TargetMemory : public testing::Test {
 protected:
  void SetUp() override {
    void* const pages =
        ::mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(pages, MAP_FAILED);
    all_ = static_cast<char*>(pages);
    middle_ = all_ + kPage;
    std::memset(all_, 'x', 3 * kPage);
  }
  void TearDown() override { ::munmap(all_, 3 * kPage); }

  std::function<void()> with_middle(int protection) const {
    return [this, protection] {
      ::mprotect(all_, kPage, PROT_NONE);
      ::mprotect(middle_, kPage, protection);
      ::mprotect(middle_ + kPage, kPage, PROT_NONE);
    };
  }

  char* all_ = nullptr;
  char* middle_ = nullptr;
  std::array<char, kPage> buffer_{};
};

TEST_F(TargetMemory, TextThatEndsBeforeUnreadableMemory) {
  std::memcpy(middle_ + kPage - 6, "hello", 6);
  const Standing child(with_middle(PROT_READ));
  EXPECT_EQ(child.target().text(address_of(middle_ + kPage - 6), buffer_), "hello");
  EXPECT_EQ(child.target().text(address_of(middle_ + kPage - 1), buffer_), "");
}

TEST_F(TargetMemory, TextOverThePagesEnd) {
  middle_[kPage + 10] = '\0';
  const Standing child;
  const auto text = child.target().text(address_of(middle_ + kPage - 300), buffer_);
  EXPECT_EQ(text, std::string(310, 'x'));
}

TEST_F(TargetMemory, TextThatRunsIntoUnreadableMemory) {
  const Standing child(with_middle(PROT_READ));
  const auto error = [&](std::uint64_t address) {
    const auto text = child.target().text(address, buffer_);
    return text ? 0 : text.error();
  };
  EXPECT_EQ(error(address_of(middle_ + kPage - 6)), EFAULT);
  EXPECT_EQ(error(address_of(middle_ + 1)), EFAULT);
  EXPECT_EQ(error(address_of(middle_ - 1)), EFAULT);
  EXPECT_EQ(error(0), EFAULT);
  EXPECT_EQ(error(~std::uint64_t{0}), EFAULT);
  EXPECT_EQ(error(std::uint64_t{1} << 63), EFAULT);
}

TEST_F(TargetMemory, TextAsLongAsTheBufferAndLonger) {
  all_[kPage - 1] = '\0';
  const Standing child;
  EXPECT_EQ(child.target().text(address_of(all_), buffer_), std::string(kPage - 1, 'x'));
  const auto unterminated = child.target().text(address_of(middle_), buffer_);
  ASSERT_FALSE(unterminated);
  EXPECT_EQ(unterminated.error(), ENAMETOOLONG);
}

TEST_F(TargetMemory, ReadsAndWritesWholeOrNotAtAll) {
  const Standing child(with_middle(PROT_READ | PROT_WRITE));
  std::array<std::byte, 16> bytes{};
  const auto read = [&](const char* from) { return child.target().read(address_of(from), bytes); };
  const auto write = [&](const char* to) { return child.target().write(address_of(to), bytes); };
  EXPECT_EQ(write(middle_), 0);
  EXPECT_EQ(read(middle_), 0);
  EXPECT_EQ(write(middle_ + kPage - 16), 0);
  EXPECT_EQ(read(middle_ + kPage - 8), EFAULT);
  EXPECT_EQ(write(middle_ + kPage - 8), EFAULT);
  EXPECT_EQ(write(middle_ - 8), EFAULT);
  EXPECT_EQ(child.target().read(0, bytes), EFAULT);
  EXPECT_EQ(child.target().write(0, bytes), EFAULT);
}

// A way into memory that is read-only would be a way around MDWE.
TEST_F(TargetMemory, WritesWhereTheProcessItselfMay) {
  const Standing child(with_middle(PROT_READ));
  const std::array<std::byte, 4> bytes{};
  EXPECT_EQ(child.target().write(address_of(middle_), bytes), EFAULT);
}

TEST(Target, DescriptorIsADuplicate) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const int number = 77;
  const Standing child([&] {
    ::dup2(ends[1], number);
    ::close(ends[0]);
    ::close(ends[1]);
  });
  ::close(ends[1]);
  {
    const auto fd = child.target().descriptor(number);
    ASSERT_TRUE(fd);
    EXPECT_EQ(::fcntl(fd->get(), F_GETFD), FD_CLOEXEC);
    ASSERT_EQ(::write(fd->get(), "y", 1), 1);
  }
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  ::close(ends[0]);
  for (const int none : {-1, AT_FDCWD, ends[0], 100'000, INT32_MAX, INT32_MIN}) {
    const auto fd = child.target().descriptor(none);
    ASSERT_FALSE(fd) << none;
    EXPECT_EQ(fd.error(), EBADF) << none;
  }
}

TEST(Target, WorkingDirectoryAndUmask) {
  const torno::test::TemporaryDirectory directory;
  const Standing child([&] {
    (void)!::chdir(directory.path().c_str());
    ::umask(0125);
  });
  std::array<char, kPage> buffer;
  EXPECT_EQ(child.target().working_directory(buffer), directory.path());
  EXPECT_EQ(child.target().umask(), 0125U);
  const auto short_one = child.target().working_directory(std::span(buffer).first(4));
  ASSERT_FALSE(short_one);
  EXPECT_EQ(short_one.error(), ENAMETOOLONG);
}

// The first thread's number is the process's; another one's leads to it, also where the first one
// has ended and with it its descriptors.
TEST(Target, ThreadsOfAProcess) {
  struct Shared {
    pid_t thread;
  };
  auto* const shared = static_cast<Shared*>(
      ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(static_cast<void*>(shared), MAP_FAILED);
  for (const bool first_ends : {false, true}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t process = ::fork();
    if (process == 0) {
      std::thread([&] {
        shared->thread = ::gettid();
        if (!first_ends) (void)!::write(ends[1], "x", 1);
        for (;;) ::pause();
      }).detach();
      if (first_ends) {
        ::dup2(ends[1], 100);
        ::syscall(SYS_exit, 0);
      }
      for (;;) ::pause();
    }
    char byte = 0;
    if (first_ends) {
      ASSERT_TRUE(torno::test::eventually([&] { return shared->thread != 0; }));
      // Until the first thread is a zombie.
      ASSERT_TRUE(torno::test::eventually([&] {
        siginfo_t info{};
        const std::string path = "/proc/" + std::to_string(process) + "/stat";
        const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        char text[256] = {};
        return ::read(file.get(), text, sizeof text - 1) > 0 && std::strstr(text, ") Z ") &&
               info.si_pid == 0;
      }));
    } else {
      ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    }
    const Target thread(shared->thread);
    EXPECT_NE(shared->thread, process);
    EXPECT_EQ(thread.process(), process);
    EXPECT_EQ(Target(process).process(), process);
    const auto fd = thread.descriptor(ends[1]);
    const bool by_thread = ::syscall(SYS_pidfd_open, ::getpid(), O_EXCL) >= 0;  // Linux 6.9
    if (!first_ends || by_thread) {
      EXPECT_TRUE(fd) << fd.error();
    }
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    shared->thread = 0;
  }
  ::munmap(shared, kPage);
}

TEST(Target, SignalThatWaits) {
  for (const int way : {0, 1, 2}) {
    const Standing child([way] {
      sigset_t all;
      ::sigfillset(&all);
      if (way != 0) ::sigprocmask(SIG_BLOCK, &all, nullptr);
      if (way == 2) ::signal(SIGUSR1, SIG_IGN);
    });
    EXPECT_FALSE(child.target().has_signal());
    if (way != 0) {
      ::kill(child.pid(), SIGUSR1);
      EXPECT_FALSE(child.target().has_signal()) << "it is held back, or ignored";
    }
  }
}

TEST(Target, AThreadThatIsGone) {
  Standing child;
  const Target target = child.target();
  child.end();
  std::array<char, kPage> buffer;
  std::array<std::byte, 4> bytes{};
  EXPECT_EQ(target.process(), 0);
  EXPECT_FALSE(target.text(address_of(buffer.data()), buffer));
  EXPECT_EQ(target.read(address_of(buffer.data()), bytes), EFAULT);
  EXPECT_EQ(target.write(address_of(buffer.data()), bytes), EFAULT);
  EXPECT_FALSE(target.descriptor(0));
  EXPECT_FALSE(target.working_directory(buffer));
  EXPECT_FALSE(target.umask());
  EXPECT_FALSE(target.has_signal());
}

// A thread that the broker's pid namespace does not show has number 0, which means the caller to
// many a system call.
TEST(Target, NumberZeroIsNobody) {
  const Target target(0);
  std::array<char, kPage> buffer;
  EXPECT_EQ(target.process(), 0);
  EXPECT_FALSE(target.text(address_of(buffer.data()), buffer));
  EXPECT_FALSE(target.descriptor(0));
  EXPECT_FALSE(target.working_directory(buffer));
  EXPECT_FALSE(target.umask());
}

}  // namespace
}  // namespace torno::notify
