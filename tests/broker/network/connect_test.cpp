// connect over TCP, on loopback.
#include <fcntl.h>
#include <unistd.h>

#include "tests/broker/network/network_fixture.h"

namespace torno::network {
namespace {

class Connect : public NetworkFixture {
 protected:
  static bool is_non_blocking(const Fd& socket) {
    return (::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0;
  }

  static bool has_started(const ConnectOutcome& outcome) {
    return outcome.error == 0 || outcome.error == EINPROGRESS;
  }
};

TEST_F(Connect, ReachesWhatThePolicyAllows) {
  const std::uint16_t port = listen_tcp();
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  const Fd socket = make_socket(AF_INET);
  EXPECT_TRUE(has_started(connect(socket.get(), ipv4("127.0.0.1", port))));
  EXPECT_EQ(result_of(socket.get()), 0);
  EXPECT_FALSE(is_non_blocking(socket)) << "as the client had it";
}

TEST_F(Connect, KeepsANonBlockingSocketNonBlocking) {
  const std::uint16_t port = listen_tcp();
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  const Fd socket = make_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  EXPECT_TRUE(has_started(connect(socket.get(), ipv4("127.0.0.1", port))));
  EXPECT_TRUE(is_non_blocking(socket));
}

TEST_F(Connect, RefusesEverythingElse) {
  const std::uint16_t port = listen_tcp();
  allow(R"(connect { address: "127.0.0.2" port: $P } connect { address: "127.0.0.1" port: 1 })");
  {
    const Fd control = make_socket(AF_INET);
    const std::string address = ipv4("127.0.0.1", port);
    ASSERT_EQ(::connect(control.get(), reinterpret_cast<const sockaddr*>(address.data()),
                        static_cast<socklen_t>(address.size())),
              0);
  }
  const Fd socket = make_socket(AF_INET);
  EXPECT_TRUE(is_denied(connect(socket.get(), ipv4("127.0.0.1", port)),
                        "127.0.0.1:" + std::to_string(port)));
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  EXPECT_NE(::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &size), 0);
  EXPECT_FALSE(is_non_blocking(socket));
}

TEST_F(Connect, ClosedPortIsRefusedByTheKernel) {
  std::uint16_t port = listen_tcp();
  listeners_.clear();
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  const Fd socket = make_socket(AF_INET);
  const ConnectOutcome outcome = connect(socket.get(), ipv4("127.0.0.1", port));
  EXPECT_FALSE(outcome.denial);
  const int error = outcome.error == EINPROGRESS ? result_of(socket.get()) : outcome.error;
  EXPECT_EQ(error, ECONNREFUSED);
  EXPECT_FALSE(is_non_blocking(socket));
}

TEST_F(Connect, FullBacklogDoesNotHoldTheBroker) {
  const std::uint16_t port = listen_tcp(0);
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  // Beyond the backlog the kernel drops SYNs: a blocking connect would wait for minutes.
  std::vector<Fd> sockets;
  bool in_progress = false;
  for (int i = 0; i < 8; ++i) {
    sockets.push_back(make_socket(AF_INET));
    const ConnectOutcome outcome = connect(sockets.back().get(), ipv4("127.0.0.1", port));
    EXPECT_TRUE(has_started(outcome)) << outcome.error;
    in_progress = in_progress || outcome.error == EINPROGRESS;
    EXPECT_FALSE(is_non_blocking(sockets.back()));
  }
  EXPECT_TRUE(in_progress);
}

TEST_F(Connect, MappedAddressIsJudgedAsIpv4) {
  const Fd socket = make_socket(AF_INET6);
  if (!socket) GTEST_SKIP() << "there is no IPv6 here";
  const std::uint16_t port = listen_tcp();
  allow(R"(connect { address: "::/0" })");
  EXPECT_TRUE(is_denied(connect(socket.get(), ipv6("::ffff:127.0.0.1", port)),
                        "127.0.0.1:" + std::to_string(port)));
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  EXPECT_TRUE(has_started(connect(socket.get(), ipv6("::ffff:127.0.0.1", port))));
  EXPECT_EQ(result_of(socket.get()), 0);
}

TEST_F(Connect, WildcardIsLoopbackEvenOfABoundSocket) {
  const std::uint16_t port = listen_tcp();
  const Fd socket = make_socket(AF_INET);
  // The kernel takes the wildcard for the address that the socket is bound to.
  const std::string other = ipv4("127.0.0.9", 0);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(other.data()),
                   static_cast<socklen_t>(other.size())),
            0);
  allow(R"(connect { address: "127.0.0.9" })");
  EXPECT_TRUE(
      is_denied(connect(socket.get(), ipv4("0.0.0.0", port)), "127.0.0.1:" + std::to_string(port)));
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  EXPECT_TRUE(has_started(connect(socket.get(), ipv4("0.0.0.0", port))));
  EXPECT_EQ(result_of(socket.get()), 0);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  ASSERT_EQ(::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &size), 0);
  EXPECT_EQ(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

TEST_F(Connect, UnspecifiedFamilyEndsTheConnection) {
  const std::uint16_t port = listen_tcp();
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  const Fd socket = make_socket(AF_INET);
  ASSERT_TRUE(has_started(connect(socket.get(), ipv4("127.0.0.1", port))));
  ASSERT_EQ(result_of(socket.get()), 0);
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  EXPECT_EQ(connect(socket.get(), bytes_of(none)).error, 0);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  EXPECT_NE(::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &size), 0);
}

TEST_F(Connect, WrongAddressesAreTheKernelsErrors) {
  allow(R"(connect { address: "0.0.0.0/0" })");
  const Fd socket = make_socket(AF_INET);
  EXPECT_EQ(connect(socket.get(), "").error, EINVAL);
  EXPECT_EQ(connect(socket.get(), "x").error, EINVAL);
  EXPECT_EQ(connect(socket.get(), ipv4("127.0.0.1", 1).substr(0, 15)).error, EINVAL);
  EXPECT_EQ(connect(socket.get(), std::string(129, 'x')).error, EINVAL);
  EXPECT_EQ(connect(socket.get(), ipv6("::1", 1)).error, EAFNOSUPPORT);
}

TEST_F(Connect, DescriptorMayBeAnything) {
  const std::uint16_t port = listen_tcp();
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  const std::string address = ipv4("127.0.0.1", port);
  EXPECT_EQ(connect(-1, address).error, EBADF);
  const Fd file(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(connect(file.get(), address).error, ENOTSOCK);
  const Fd pin(::open("/", O_PATH | O_CLOEXEC));
  EXPECT_EQ(connect(pin.get(), address).error, EBADF);
  for (const auto& [domain, type] : {std::pair{AF_INET, SOCK_DGRAM},
                                     {AF_UNIX, SOCK_DGRAM},
                                     {AF_UNIX, SOCK_SEQPACKET},
                                     {AF_NETLINK, SOCK_RAW}}) {
    const Fd socket = make_socket(domain, type);
    ASSERT_TRUE(socket);
    EXPECT_TRUE(is_denied(connect(socket.get(), address), "socket of another kind"));
  }
}

TEST_F(Connect, IoThreadSaysNoAtOnceAndLeavesTheRest) {
  const std::uint16_t port = listen_tcp();
  allow(R"(connect { address: "127.0.0.1" port: $P })");
  const Fd socket = make_socket(AF_INET);
  const auto ask = [&](const std::string& address) {
    return network::connect(*files_, policy_,
                            {.socket = socket.get(), .address = address, .place = {}},
                            files::Wait::kNever);
  };
  EXPECT_TRUE(ask(ipv4("127.0.0.1", port)).would_block);
  EXPECT_EQ(ask(ipv4("127.0.0.3", port)).error, EACCES);
}

}  // namespace
}  // namespace torno::network
