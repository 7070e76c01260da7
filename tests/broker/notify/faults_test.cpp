// Pointers that lead nowhere: EFAULT as outside, and nothing else happens.
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

class NotifyFaults : public Twice {
 protected:
  static void* mapped(int protection) {
    return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  // No memory, memory that may not be touched, and addresses that are none.
  const std::vector<void*> nowhere_ = {nullptr, mapped(PROT_NONE),
                                       reinterpret_cast<void*>(~std::uintptr_t{0}),
                                       reinterpret_cast<void*>(std::uintptr_t{1} << 63)};
  void* const read_only_ = mapped(PROT_READ);
};

TEST_F(NotifyFaults, Paths) {
  expect_same([&](Record& record) {
    struct stat status{};
    struct statx extended{};
    char text[8];
    open_how how{};
    for (void* const bad : nowhere_) {
      record.result(::syscall(SYS_open, bad, O_RDONLY));
      record.result(::syscall(SYS_creat, bad, 0600));
      record.result(::syscall(SYS_openat, AT_FDCWD, bad, O_RDONLY));
      record.result(::syscall(SYS_openat2, AT_FDCWD, bad, &how, sizeof how));
      record.result(::syscall(SYS_stat, bad, &status));
      record.result(::syscall(SYS_lstat, bad, &status));
      record.result(::syscall(SYS_newfstatat, AT_FDCWD, bad, &status, 0));
      record.result(::syscall(SYS_statx, AT_FDCWD, bad, 0, STATX_BASIC_STATS, &extended));
      record.result(::syscall(SYS_access, bad, R_OK));
      record.result(::syscall(SYS_faccessat, AT_FDCWD, bad, R_OK));
      record.result(::syscall(SYS_faccessat2, AT_FDCWD, bad, R_OK, 0));
      record.result(::syscall(SYS_readlink, bad, text, sizeof text));
      record.result(::syscall(SYS_readlinkat, AT_FDCWD, bad, text, sizeof text));
      record.result(::syscall(SYS_chdir, bad));
    }
  });
}

TEST_F(NotifyFaults, ResultsAndStructures) {
  const std::string file = path("file");
  const std::string link = path("link");
  std::vector<void*> unwritable = nowhere_;
  unwritable.push_back(read_only_);
  const int before = torno::test::count_fds(::getpid());
  expect_same([&](Record& record) {
    for (void* const bad : unwritable) {
      record.result(::syscall(SYS_stat, file.c_str(), bad));
      record.result(::syscall(SYS_lstat, file.c_str(), bad));
      record.result(::syscall(SYS_newfstatat, AT_FDCWD, file.c_str(), bad, 0));
      record.result(::syscall(SYS_statx, AT_FDCWD, file.c_str(), 0, STATX_BASIC_STATS, bad));
      record.result(::syscall(SYS_readlink, link.c_str(), bad, 8));
      record.result(::syscall(SYS_readlinkat, AT_FDCWD, link.c_str(), bad, 8));
    }
    for (void* const bad : nowhere_) {
      record.result(::syscall(SYS_openat2, AT_FDCWD, file.c_str(), bad, sizeof(open_how)));
    }
    record.number(static_cast<long>(open_descriptors().size()));
  });
  EXPECT_EQ(torno::test::count_fds(::getpid()), before);
}

TEST_F(NotifyFaults, Addresses) {
  rules_ = "connect { unix: \"" + root_.path() + "/**\" }\n";
  expect_same([&](Record& record) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    for (void* const bad : nowhere_) {
      record.result(::syscall(SYS_connect, fd, bad, sizeof(sockaddr_un)));
    }
  });
}

// What lies beside the memory that a steered thread is lent stays as it is, for a goroutine's stack
// may be as short.
TEST_F(NotifyFaults, MemoryBeneathTheStackOfASteeredThread) {
  const std::string directory = path("dir");
  expect_same([&](Record& record) {
    std::array<unsigned char, 4096> beneath;
    std::uint64_t result = 0;
    std::uint64_t changed = 0;
    // Fills what is beneath the stack, makes the call, and looks at it again.
    asm volatile(
        "lea -1024(%%rsp), %%rdi\n\t"
        "mov $896, %%ecx\n\t"
        "mov $0x5a, %%al\n\t"
        "rep stosb\n\t"
        "mov %[number], %%eax\n\t"
        "mov %[path], %%rdi\n\t"
        "syscall\n\t"
        "mov %%rax, %[result]\n\t"
        "lea -1024(%%rsp), %%rdi\n\t"
        "mov $896, %%ecx\n\t"
        "mov $0x5a, %%al\n\t"
        "repe scasb\n\t"
        "setne %%cl\n\t"
        "movzbl %%cl, %%ecx\n\t"
        "mov %%rcx, %[changed]\n\t"
        : [result] "=&r"(result), [changed] "=&r"(changed)
        : [number] "i"(SYS_chdir), [path] "r"(directory.c_str())
        : "rax", "rcx", "rdi", "r11", "memory", "cc");
    beneath.fill(0);
    record.number(static_cast<long>(result));
    record.number(static_cast<long>(changed));
  });
}

}  // namespace
}  // namespace torno::notify::test
