// Kernel interfaces that reach files or processes around open.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <iterator>

#include "proto/wire.pb.h"
#include "tests/attack/scene.h"

namespace torno::test {
namespace {

// A 32-bit call from 64-bit code: its number means another call, and its open is not 64-bit open.
long int80(long nr, long a, long b, long c) {
  long result = nr;
  asm volatile("int $0x80"
               : "+a"(result)
               : "b"(a), "c"(b), "d"(c)
               : "memory", "r8", "r9", "r10", "r11");
  return result;
}

TEST(AttackKernel, Int80Open) {
  const Scene scene;
  const std::string path = scene.path("secret/key");
  const Attack attack = [path] {
    void* low = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) return false;
    std::memcpy(low, path.c_str(), path.size() + 1);
    constexpr long kOpen32 = 5;
    return reads_secret(static_cast<int>(int80(kOpen32, reinterpret_cast<long>(low), O_RDONLY, 0)));
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kKilled);
}

// Ends the process at an open, as a filter would that was written for 64-bit numbers alone.
bool refuse_64_bit_opens() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

// x32 numbers are native in the architecture field and differ in the number alone, so a filter
// that does not look for them lets them by. A kernel without x32 then has no such call, which is
// as far as any attack gets there.
TEST(AttackKernel, X32Open) {
  const Scene scene;
  const std::string path = scene.path("secret/key");
  constexpr long kX32 = 0x40000000;
  const bool kernel_has_x32 = ::syscall(kX32 | SYS_getpid) == ::getpid();
  const Attack attack = [&] {
    const int fd = static_cast<int>(::syscall(kX32 | SYS_open, path.c_str(), O_RDONLY, 0));
    return kernel_has_x32 ? reads_secret(fd) : fd < 0 && errno == ENOSYS;
  };
  const Attack plain = [&] { return ::syscall(SYS_open, path.c_str(), O_RDONLY, 0) >= 0; };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.free([&] { return refuse_64_bit_opens() && plain(); }), Ended::kKilled);
  EXPECT_EQ(scene.free([&] { return refuse_64_bit_opens() && attack(); }), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kKilled);
}

// Opens `path` by an io_uring submission; the filter never sees an open.
int open_by_io_uring(const char* path) {
  io_uring_params params{};
  const int ring = static_cast<int>(::syscall(SYS_io_uring_setup, 4, &params));
  if (ring < 0) return -1;
  const std::size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  const std::size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  auto* sq = static_cast<char*>(::mmap(nullptr, sq_size, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING));
  auto* cq = static_cast<char*>(::mmap(nullptr, cq_size, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING));
  auto* sqes = static_cast<io_uring_sqe*>(::mmap(nullptr, params.sq_entries * sizeof(io_uring_sqe),
                                                 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                                                 ring, static_cast<off_t>(IORING_OFF_SQES)));
  if (sq == MAP_FAILED || cq == MAP_FAILED || static_cast<void*>(sqes) == MAP_FAILED) return -1;
  sqes[0] = {};
  sqes[0].opcode = IORING_OP_OPENAT;
  sqes[0].fd = AT_FDCWD;
  sqes[0].addr = reinterpret_cast<std::uint64_t>(path);
  sqes[0].open_flags = O_RDONLY;
  reinterpret_cast<unsigned*>(sq + params.sq_off.array)[0] = 0;
  auto* tail = reinterpret_cast<unsigned*>(sq + params.sq_off.tail);
  std::atomic_ref(*tail).store(*tail + 1, std::memory_order_release);
  if (::syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) != 1) return -1;
  return reinterpret_cast<io_uring_cqe*>(cq + params.cq_off.cqes)[0].res;
}

TEST(AttackKernel, IoUring) {
  const Scene scene;
  const std::string path = scene.path("secret/key");
  const Attack attack = [path] { return reads_secret(open_by_io_uring(path.c_str())); };
  int disabled = 0;
  if (FILE* setting = std::fopen("/proc/sys/kernel/io_uring_disabled", "r")) {
    (void)!std::fscanf(setting, "%d", &disabled);
    std::fclose(setting);
  }
  if (disabled == 0) {
    EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  }
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackKernel, Exec) {
  const Scene scene;
  const Attack attack = [] {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/true", "true", nullptr);
      const char* const arguments[] = {"true", nullptr};
      const char* const none[] = {nullptr};
      ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, none, 0);
      ::_exit(99);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackKernel, ExecOfAMemfd) {
  const Scene scene;
  const Attack attack = [] {
    const int source = ::open("/usr/bin/true", O_RDONLY);
    const int image = ::memfd_create("image", 0);
    if (image < 0) return false;
    if (source >= 0) {
      char block[65536];
      for (ssize_t n; (n = ::read(source, block, sizeof block)) > 0;) {
        if (::write(image, block, static_cast<std::size_t>(n)) != n) return false;
      }
    }
    const pid_t child = ::fork();
    if (child == 0) {
      const char* const arguments[] = {"true", nullptr};
      const char* const none[] = {nullptr};
      ::syscall(SYS_execveat, image, "", arguments, none, AT_EMPTY_PATH);
      ::_exit(99);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackKernel, Namespaces) {
  const Scene scene;
  const Attack attack = [] {
    return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 || ::unshare(CLONE_FILES) == 0 ||
           ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr) >= 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

// A child made for the parent would stand outside, beside the sandboxed process, and be waited for
// by a program that knows nothing of it.
TEST(AttackKernel, ChildrenForTheParent) {
  const Scene scene;
  const auto children = [] {
    const pid_t child = ::fork();
    if (child == 0) {
      ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
      ::_exit(0);
    }
    int count = 0;
    while (::wait(nullptr) > 0) ++count;
    return count;
  };
  EXPECT_EQ(scene.free([=] { return children() == 2; }), Ended::kSucceeded);
  EXPECT_EQ(scene.inside([=] { return children() == 2; }), Ended::kRefused);
  EXPECT_EQ(scene.inside([=] { return children() == 1; }), Ended::kSucceeded);
}

TEST(AttackKernel, SyscallUserDispatchAndDebuggers) {
  const Scene scene;
  const Attack attack = [] {
    static char selector = 0;  // read by the kernel at every later call
    constexpr int kSetSyscallUserDispatch = 59;
    constexpr int kOn = 1;
    return ::prctl(kSetSyscallUserDispatch, kOn, 0, 0, &selector) == 0 ||
           ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackKernel, SharedMemoryAndQueuesOfTheHost) {
  const Scene scene;
  const Attack attack = [] {
    const long segment = ::syscall(SYS_shmget, 0, 4096, 0600);
    constexpr int kRemove = 0;
    if (segment >= 0) ::syscall(SYS_shmctl, segment, kRemove, nullptr);
    const long semaphores = ::syscall(SYS_semget, 0, 1, 0600);
    if (semaphores >= 0) ::syscall(SYS_semctl, semaphores, 0, kRemove, 0);
    const long queue = ::syscall(SYS_msgget, 0, 0600);
    if (queue >= 0) ::syscall(SYS_msgctl, queue, kRemove, nullptr);
    return segment >= 0 || semaphores >= 0 || queue >= 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

// Every way of libc and kernel to change or remove an entry by its name.
TEST(AttackKernel, RemovingAndRenaming) {
  const Scene scene;
  const std::string victim = scene.path("secret/key");
  const std::string other = scene.path("secret/other");
  const Attack attack = [=] {
    struct stat st{};
    return ::rename(victim.c_str(), other.c_str()) == 0 || ::unlink(victim.c_str()) == 0 ||
           ::chmod(victim.c_str(), 0777) == 0 || ::truncate(victim.c_str(), 0) == 0 ||
           ::symlink("x", other.c_str()) == 0 || ::link(victim.c_str(), other.c_str()) == 0 ||
           ::mkdir(other.c_str(), 0777) == 0 || ::stat(victim.c_str(), &st) == 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  scene.restore();
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
  EXPECT_TRUE(reads_secret(victim));
}

}  // namespace
}  // namespace torno::test
