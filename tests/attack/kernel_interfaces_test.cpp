// Kernel interfaces that reach files, processes or the network around open and connect.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>

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
  EXPECT_EQ(scene.sealed(attack), Ended::kKilled);
}

// x32 numbers are native in the architecture field and differ in the number alone. A kernel
// without x32 refuses them by itself, so the control here is only that the process lives.
TEST(AttackKernel, X32Open) {
  const Scene scene;
  const std::string path = scene.path("secret/key");
  constexpr long kX32 = 0x40000000;
  const Attack attack = [path] {
    const long fd = ::syscall(kX32 | SYS_open, path.c_str(), O_RDONLY, 0);
    return fd < 0 || reads_secret(static_cast<int>(fd));
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack), Ended::kKilled);
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
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
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
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
}

TEST(AttackKernel, ExecOfAMemfd) {
  const Scene scene;
  const Attack before = [] { return true; };
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
  EXPECT_EQ(scene.sealed(attack, before), Ended::kRefused);
}

TEST(AttackKernel, Namespaces) {
  const Scene scene;
  const Attack attack = [] {
    return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 || ::unshare(CLONE_FILES) == 0 ||
           ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr) >= 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
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
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
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
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
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
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
  EXPECT_TRUE(reads_secret(victim));
}

// A datagram socket takes an address in every send, and TCP one in MSG_FASTOPEN.
TEST(AttackKernel, AddressesInSends) {
  const Scene scene("include: \"base\"\nconnect { address: \"127.0.0.1\" port: 1 }\n");
  const Attack attack = [] {
    sockaddr_in listening{};
    listening.sin_family = AF_INET;
    listening.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening.sin_port = htons(9);
    const auto* address = reinterpret_cast<const sockaddr*>(&listening);
    bool sent = false;
    char byte = 'x';
    iovec piece{&byte, 1};
    msghdr message{};
    message.msg_name = &listening;
    message.msg_namelen = sizeof listening;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      const int fd = ::socket(AF_INET, type, 0);
      if (fd < 0) continue;
      sent |= ::sendto(fd, &byte, 1, MSG_FASTOPEN | MSG_NOSIGNAL, address, sizeof listening) >= 0;
      sent |= ::sendto(fd, &byte, 1, MSG_NOSIGNAL, address, sizeof listening) >= 0;
      sent |= ::sendmsg(fd, &message, MSG_NOSIGNAL) >= 0;
      mmsghdr several{message, 0};
      sent |= ::sendmmsg(fd, &several, 1, MSG_NOSIGNAL) >= 0;
    }
    return sent;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
}

TEST(AttackKernel, ServersAndRawSockets) {
  const Scene scene("include: \"base\"\nconnect { address: \"127.0.0.1\" port: 1 }\n");
  const Attack attack = [] {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
    const bool listening = ::listen(fd, 1) == 0;
    return bound || listening || ::socket(AF_NETLINK, SOCK_RAW, 0) >= 0 ||
           ::socket(AF_INET, SOCK_DGRAM, 0) >= 0 || ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
}

}  // namespace
}  // namespace torno::test
