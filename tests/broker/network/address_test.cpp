// Reading a sockaddr as the kernel does.
#include "broker/network/address.h"

#include <arpa/inet.h>

#include <cstddef>

#include "tests/broker/network/network_fixture.h"

namespace torno::network {
namespace {

using Kind = policy::Endpoint::Kind;

std::string text_of(int domain, const std::string& bytes) {
  const auto address = read_address(domain, bytes);
  return address ? to_text(address->endpoint) : "error " + std::to_string(address.error());
}

const std::string kInvalid = "error " + std::to_string(EINVAL);
const std::string kOtherFamily = "error " + std::to_string(EAFNOSUPPORT);

TEST(Address, ReadsAddressAndPort) {
  EXPECT_EQ(text_of(AF_INET, ipv4("192.0.2.1", 80)), "192.0.2.1:80");
  EXPECT_EQ(text_of(AF_INET6, ipv6("2001:db8::1", 443)), "[2001:db8::1]:443");
  EXPECT_EQ(text_of(AF_UNIX, unix_path("/run/x")), "unix:/run/x");
  EXPECT_EQ(text_of(AF_UNIX, unix_abstract("x")), "unix:@x");
}

TEST(Address, MappedIpv4IsIpv4) {
  EXPECT_EQ(text_of(AF_INET6, ipv6("::ffff:192.0.2.1", 80)), "192.0.2.1:80");
  EXPECT_EQ(text_of(AF_INET6, ipv6("::192.0.2.1", 80)), "[::192.0.2.1]:80");
}

TEST(Address, WildcardIsLoopbackForPolicyAndKernelAlike) {
  EXPECT_EQ(text_of(AF_INET, ipv4("0.0.0.0", 80)), "127.0.0.1:80");
  EXPECT_EQ(text_of(AF_INET6, ipv6("::", 80)), "[::1]:80");
  EXPECT_EQ(text_of(AF_INET6, ipv6("::ffff:0.0.0.0", 80)), "127.0.0.1:80");

  const auto v4 = read_address(AF_INET, ipv4("0.0.0.0", 80));
  const auto& in = reinterpret_cast<const sockaddr_in&>(v4->socket_address);
  EXPECT_EQ(in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  const auto v6 = read_address(AF_INET6, ipv6("::", 80));
  const auto& in6 = reinterpret_cast<const sockaddr_in6&>(v6->socket_address);
  EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr));
}

TEST(Address, LengthsAreTheKernels) {
  const std::string v4 = ipv4("127.0.0.1", 80);
  for (std::size_t size = 0; size < v4.size(); ++size) {
    EXPECT_EQ(text_of(AF_INET, v4.substr(0, size)), kInvalid) << size;
  }
  EXPECT_EQ(text_of(AF_INET, v4 + std::string(112, 'x')), "127.0.0.1:80");
  EXPECT_EQ(text_of(AF_INET, v4 + std::string(113, 'x')), kInvalid);

  const std::string v6 = ipv6("::1", 80);
  EXPECT_EQ(text_of(AF_INET6, v6.substr(0, 23)), kInvalid);
  EXPECT_EQ(text_of(AF_INET6, v6.substr(0, 24)), "[::1]:80");
}

TEST(Address, ScopeIsReadOfAWholeAddressOnly) {
  sockaddr_in6 given{};
  given.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, "fe80::1", &given.sin6_addr);
  given.sin6_scope_id = 7;
  const auto whole = read_address(AF_INET6, bytes_of(given));
  const auto part = read_address(AF_INET6, bytes_of(given).substr(0, 24));
  const auto scope = [](const Address& address) {
    return reinterpret_cast<const sockaddr_in6&>(address.socket_address).sin6_scope_id;
  };
  EXPECT_EQ(scope(*whole), 7U);
  EXPECT_EQ(scope(*part), 0U);
}

TEST(Address, FamilyMustBeTheSockets) {
  EXPECT_EQ(text_of(AF_INET, ipv6("::1", 80)), kOtherFamily);
  EXPECT_EQ(text_of(AF_INET6, ipv4("127.0.0.1", 80) + std::string(16, '\0')), kOtherFamily);
  EXPECT_EQ(text_of(AF_UNIX, ipv4("127.0.0.1", 80)), kInvalid);
  EXPECT_EQ(text_of(AF_NETLINK, ipv4("127.0.0.1", 80)), "error " + std::to_string(EACCES));
}

TEST(Address, UnixPathEndsAtNulOrWithTheBytes) {
  const std::string longest(sizeof(sockaddr_un::sun_path), 'x');
  const std::string prefix = unix_path("").substr(0, offsetof(sockaddr_un, sun_path));
  EXPECT_EQ(text_of(AF_UNIX, prefix + longest), "unix:" + longest);
  EXPECT_EQ(text_of(AF_UNIX, prefix + longest + "x"), kInvalid);
  EXPECT_EQ(text_of(AF_UNIX, prefix + "/a"), "unix:/a");
  EXPECT_EQ(text_of(AF_UNIX, prefix + std::string("/a\0b", 4)), "unix:/a");
  EXPECT_EQ(text_of(AF_UNIX, prefix), kInvalid) << "an autobind name";
  EXPECT_EQ(text_of(AF_UNIX, prefix.substr(0, 1)), kInvalid);
}

TEST(Address, AbstractNameHasTheGivenLength) {
  const std::string bytes = unix_abstract(std::string("a\0b\0", 4));
  const auto address = read_address(AF_UNIX, bytes);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->endpoint.kind, Kind::kUnixAbstract);
  EXPECT_EQ(address->endpoint.name, std::string_view("a\0b\0", 4));
  EXPECT_EQ(address->size, offsetof(sockaddr_un, sun_path) + 5);
}

TEST(Address, UnspecifiedEndsATcpConnectionOnly) {
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  EXPECT_TRUE(is_disconnect(AF_INET, bytes_of(none)));
  EXPECT_TRUE(is_disconnect(AF_INET6, bytes_of(none).substr(0, 2)));
  EXPECT_FALSE(is_disconnect(AF_INET, bytes_of(none).substr(0, 1)));
  EXPECT_FALSE(is_disconnect(AF_INET, ""));
  EXPECT_FALSE(is_disconnect(AF_UNIX, bytes_of(none)));
  EXPECT_FALSE(is_disconnect(AF_INET, ipv4("127.0.0.1", 80)));
}

}  // namespace
}  // namespace torno::network
