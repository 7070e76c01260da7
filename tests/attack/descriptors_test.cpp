// Descriptors as a way around the policy: the reserved numbers, read-only twins, passing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "proto/wire.pb.h"
#include "tests/attack/scene.h"
#include "tests/support/processes.h"

namespace torno::test {
namespace {

// Is descriptor `fd` the same socket as `other`?
bool same_file(int fd, int other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(fd, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

long marked_prlimit(const rlimit* limit) {
  const auto mark = static_cast<std::uint64_t>(wire::REISSUE_MARK) << 32;
  return ::syscall(SYS_prlimit64, mark, RLIMIT_NOFILE, limit, nullptr);
}

// sendmsg is native on the control number alone, so a foreign socket there could be sent
// anything to anywhere.
TEST(AttackDescriptors, ForeignSocketOnTheControlNumber) {
  const Scene scene;
  constexpr int kControl = wire::CONTROL_FD;
  const Attack attack = [] {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) return false;
    const auto taken = [&] { return same_file(kControl, pair[0]); };
    // Without the sandbox the limit can be raised and the number is free.
    for (const rlim_t most : {rlim_t{kControl} + 100, rlim_t{kControl}}) {
      const rlimit limit{most, most};
      ::setrlimit(RLIMIT_NOFILE, &limit);
      marked_prlimit(&limit);
      ::dup2(pair[0], kControl);
      if (taken()) return true;
    }
    ::close(kControl);
    ::syscall(SYS_close, 0xdead00000000ULL | kControl);
    ::syscall(SYS_close_range, kControl, kControl, 0);
    const auto mark = static_cast<std::uint64_t>(wire::REISSUE_MARK) << 32;
    ::syscall(SYS_close_range, mark | kControl, kControl, 0);
    ::syscall(SYS_close_range, mark | 4000, ~0U, 0);
    ::dup2(pair[0], kControl);
    ::syscall(SYS_dup3, pair[0], kControl, 0);
    if (taken()) return true;
    ::fcntl(pair[0], F_DUPFD, kControl);
    if (taken()) return true;
    // Running out of lower numbers must not land there either.
    for (int i = 0; i < 5000; ++i) {
      if (::dup(pair[0]) < 0) break;
    }
    return taken();
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackDescriptors, ReadOnlyTwinsChangeNothing) {
  const Scene scene;
  const std::string path = scene.path("allowed/public");
  const Attack attack = [path] {
    const int fd = ::open(path.c_str(), O_RDONLY);
    if (fd < 0) return false;
    const timespec times[2] = {{1, 0}, {1, 0}};
    int flags = 0;
    bool changed = ::fchmod(fd, 0600) == 0;
    changed |= ::futimens(fd, times) == 0;
    changed |= ::syscall(SYS_utimensat, fd, nullptr, times, 0) == 0;
    changed |= ::fchown(fd, ::getuid(), ::getgid()) == 0;
    changed |= ::fsetxattr(fd, "user.torno", "1", 1, 0) == 0;
    changed |= ::fremovexattr(fd, "user.torno") == 0;
    changed |=
        ::ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && ::ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    changed |= ::syscall(SYS_fchmodat, AT_FDCWD, path.c_str(), 0600) == 0;
    changed |= ::ftruncate(fd, 0) == 0;
    return changed;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  scene.restore();
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackDescriptors, LeaseAndSignalsOnADescriptor) {
  const Scene scene;
  const std::string path = scene.path("allowed/public");
  const Attack attack = [path] {
    const int fd = ::open(path.c_str(), O_RDONLY);
    return fd >= 0 && (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0 || ::fcntl(fd, F_SETOWN, 1) == 0 ||
                       ::fcntl(fd, F_SETSIG, SIGTERM) == 0);
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

// Sends one message with `count` descriptors over `socket`; true when the kernel took it.
bool send_fds(int socket, const void* data, std::size_t size, int count) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 253)] = {};
  iovec piece{const_cast<void*>(data), size};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(sizeof(int) * static_cast<unsigned>(count));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * static_cast<unsigned>(count));
  const int fd = STDIN_FILENO;
  for (int i = 0; i < count; ++i) {
    std::memcpy(CMSG_DATA(header) + sizeof(int) * static_cast<unsigned>(i), &fd, sizeof fd);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

// Descriptors may go to the broker alone. Sent anywhere else they would carry a right out, and
// the broker ends a session that sends what it did not ask for.
TEST(AttackDescriptors, PassedToSomebodyElse) {
  const Scene scene;
  const Attack attack = [] {
    int pair[2];
    return ::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 && send_fds(pair[0], "x", 1, 1);
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackDescriptors, StuffedIntoTheBroker) {
  const Scene scene;
  const std::string path = scene.path("allowed/public");
  // Control: the session is alive before the attack, and dead after it.
  EXPECT_EQ(scene.sealed([path] { return ::access(path.c_str(), R_OK) == 0; }), Ended::kSucceeded);
  const int before = scene.broker().count_fds();
  const Attack attack = [path] {
    for (int i = 0; i < 100; ++i) send_fds(wire::CONTROL_FD, "x", 1, 253);
    // The request takes another socket, so the first may still overtake the attack.
    return !eventually([&] { return ::access(path.c_str(), R_OK) != 0; });
  };
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
  EXPECT_TRUE(eventually([&] { return scene.broker().count_fds() <= before; }));
  EXPECT_EQ(scene.sealed([path] { return ::access(path.c_str(), R_OK) == 0; }), Ended::kSucceeded);
}

}  // namespace
}  // namespace torno::test
