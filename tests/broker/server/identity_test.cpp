// Who is served: the broker's own user.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "broker/server/peer.h"
#include "tests/support/raw_peer.h"
#include "tests/support/tornod_process.h"

namespace torno::server {
namespace {

using test::RawPeer;

constexpr uid_t kSomebodyElse = 65534;

// What a process of another user gets for its Hello.
enum Outcome { kNoConnection = 10, kNoAnswer, kWelcomed, kRefusedIdentity, kRefusedOtherwise };

int hello_as_somebody_else(const std::string& socket) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(kSomebodyElse) != 0 || ::setuid(kSomebodyElse) != 0) ::_exit(1);
    const RawPeer peer = RawPeer::connect(socket);
    if (!peer.is_valid()) ::_exit(kNoConnection);
    const auto answer = peer.hello("any");
    if (!answer) ::_exit(kNoAnswer);
    if (answer->message.has_welcome()) ::_exit(kWelcomed);
    const bool identity = answer->message.refused().reason() == wire::Refused::REASON_IDENTITY;
    ::_exit(identity ? kRefusedIdentity : kRefusedOtherwise);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(IdentityTest, TheSocketIsItsOwnersAlone) {
  const test::TornodProcess tornod(test::Policies{{"any", ""}});
  struct stat status{};
  ASSERT_EQ(::stat(tornod.socket_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(status.st_uid, ::geteuid());
}

TEST(IdentityTest, AnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const test::TornodProcess tornod(test::Policies{{"any", ""}});
  const std::string directory = tornod.socket_path().substr(0, tornod.socket_path().rfind('/'));
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  EXPECT_EQ(hello_as_somebody_else(tornod.socket_path()), kNoConnection);
  // Even when the socket's mode lets it through: the broker asks the kernel who it is.
  ASSERT_EQ(::chmod(tornod.socket_path().c_str(), 0666), 0);
  EXPECT_EQ(hello_as_somebody_else(tornod.socket_path()), kRefusedIdentity);
  EXPECT_TRUE(tornod.wait_for_log("uid=65534"));
  EXPECT_TRUE(RawPeer::connect(tornod.socket_path()).enter("any"));
}

TEST(IdentityTest, IsWhatTheKernelSays) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]);
  const Fd two(ends[1]);
  const auto peer = identify(one.get());
  ASSERT_TRUE(peer) << peer.error().message;
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_EQ(peer->uid, ::getuid());
  char cwd[4096];
  EXPECT_EQ(peer->cwd, ::getcwd(cwd, sizeof cwd));
}

// Its number may belong to somebody else by now: nothing is read by it.
TEST(IdentityTest, OfADeadProcessHasNoWorkingDirectory) {
  int ends[2] = {-1, -1};
  int back[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, back), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    // A pair of the child's own: its credentials are the child's.
    ::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
    const RawPeer courier{Fd(back[1])};
    courier.send_bytes("x", {ends[0], ends[1]});
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(back[1]);
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
  char byte = 0;
  iovec piece{&byte, 1};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ASSERT_EQ(::recvmsg(back[0], &message, MSG_CMSG_CLOEXEC), 1);
  std::memcpy(ends, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof ends);
  const Fd one(ends[0]);
  const Fd two(ends[1]);
  ::close(back[0]);

  const auto peer = identify(one.get());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, child);
  EXPECT_EQ(peer->cwd, "");
}

}  // namespace
}  // namespace torno::server
