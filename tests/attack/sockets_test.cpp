// Sockets as a way around connect rules, and as a way to hold up whoever gets one.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/attack/scene.h"

namespace torno::test {
namespace {

// A datagram socket takes an address in every send, and TCP one in MSG_FASTOPEN.
TEST(AttackSockets, AddressesInSends) {
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
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackSockets, ServersAndRawSockets) {
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
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

// Whoever closes a lingering socket last waits for its data to leave. Sent to the broker in a
// request, that would be one of the threads that serve everybody.
TEST(AttackSockets, Linger) {
  const Scene scene("include: \"base\"\nconnect { address: \"127.0.0.1\" port: 1 }\n");
  const Attack attack = [] {
    constexpr int kSeconds = 3600;
    const linger waiting{1, kSeconds};
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &waiting, sizeof waiting) == 0;
  };
  const Attack harmless = [] {
    const int yes = 1;
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes) == 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
  EXPECT_EQ(scene.inside(harmless), Ended::kSucceeded);
}

}  // namespace
}  // namespace torno::test
