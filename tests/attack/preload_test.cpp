// Attacks on what mode trap adds: a control socket in the program before the library has sealed it,
// and a limit of descriptors that is higher by the reserved ones. A constructor or IFUNC resolver
// of a hostile library could run then; here the program itself is in its place.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/attack/scene.h"
#include "tests/support/raw_peer.h"

namespace torno::test {
namespace {

constexpr int kControl = wire::CONTROL_FD;

// The socket that the launcher put there.
RawPeer take_control() {
  return RawPeer(Fd(kControl));
}

// Messages with an address pass the filter on this one number.
TEST(AttackPreload, AnotherSocketOnTheControlDescriptor) {
  const Scene scene;
  const Attack attack = [] {
    ::close(kControl);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    for (const rlim_t hard : {limit.rlim_max, rlim_t{8192}}) {
      const rlimit raised{hard, hard};
      ::setrlimit(RLIMIT_NOFILE, &raised);
    }
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return false;
    return ::dup2(ends[0], kControl) == kControl || ::dup3(ends[0], kControl, O_CLOEXEC) >= 0 ||
           ::fcntl(ends[0], F_DUPFD, kControl) >= 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.confined(attack), Ended::kRefused);
  EXPECT_EQ(scene.before_library(attack), Ended::kRefused);
}

// The reserved number below can be taken; nothing passes there that does not pass elsewhere.
TEST(AttackPreload, MessagesWithAnAddressOnTheOtherReservedDescriptors) {
  const Scene scene;
  const Attack attack = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return false;
    const int taken = ::dup2(ends[0], kControl - 1);
    char text[] = "text";
    iovec piece{text, sizeof text};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    sockaddr_un nobody{};
    nobody.sun_family = AF_UNIX;
    message.msg_name = &nobody;
    message.msg_namelen = sizeof nobody;
    // The kernel's own answers, which show that the address has come to it.
    return taken >= 0 && (::sendmsg(taken, &message, 0) >= 0 || errno == ECONNREFUSED ||
                          errno == EINVAL || errno == ENOENT);
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.before_library(attack), Ended::kRefused);
}

// What opens a file by the wire, without the library: it is decided by the same policy.
bool opens(const std::string& path) {
  const RawPeer control = take_control();
  const auto welcome = control.hello("anything");
  if (!welcome || !welcome->message.has_welcome()) return false;
  if (!control.seal(welcome->message.welcome().layers())) return false;
  const RawPeer channel = control.new_channel();
  if (!channel.is_valid()) return false;
  // Not by sendmsg, which is let through on the control socket alone.
  const std::string request = open_message(1, path, O_RDONLY).SerializeAsString();
  if (::send(channel.fd(), request.data(), request.size(), 0) < 0) return false;
  const auto answer = channel.receive();
  return answer && answer->message.reply().result() == 0 && !answer->fds.empty();
}

TEST(AttackPreload, TheWireByHand) {
  const Scene scene;
  const std::string secret = scene.path("secret/key");
  const std::string allowed = scene.path("allowed/public");
  const Attack reads = [&] { return ::open(secret.c_str(), O_RDONLY) >= 0; };
  EXPECT_EQ(scene.free(reads), Ended::kSucceeded);
  const Scene::Expected by_hand = Scene::Expected::kSaysSealed;
  EXPECT_EQ(scene.before_library([&] { return opens(secret); }, by_hand), Ended::kRefused);
  EXPECT_EQ(scene.before_library([&] { return opens(allowed); }, by_hand), Ended::kSucceeded);
}

// Who says to be sealed, and breaks the protocol, has lost the session and nothing else has.
TEST(AttackPreload, GarbageOnTheControlSocket) {
  const Scene scene;
  const std::string allowed = scene.path("allowed/public");
  const Attack survives = [&] {
    const RawPeer control = take_control();
    if (control.send_bytes("garbage") != 0 || !control.wait_for_end()) return false;
    return ::open(allowed.c_str(), O_RDONLY) >= 0;
  };
  EXPECT_EQ(scene.before_library(survives), Ended::kSucceeded);
}

}  // namespace
}  // namespace torno::test
