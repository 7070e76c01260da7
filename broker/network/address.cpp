#include "broker/network/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace torno::network {

namespace {

using policy::Endpoint;

constexpr std::size_t kIpv6MinimumSize = 24;  // SIN6_LEN_RFC2133: without the scope
constexpr std::size_t kUnixPathOffset = offsetof(sockaddr_un, sun_path);

// The client's bytes as a T; what they do not reach is zero.
template <typename T>
T copy_of(std::string_view bytes) {
  T value{};
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

template <typename T>
void store(Address& address, const T& value) {
  std::memcpy(&address.socket_address, &value, sizeof value);
  address.size = sizeof value;
}

sa_family_t family_of(std::string_view bytes) {
  return copy_of<sockaddr>(bytes).sa_family;
}

void set_endpoint(Endpoint& endpoint, Endpoint::Kind kind, const void* address, std::size_t size,
                  in_port_t port) {
  endpoint.kind = kind;
  std::memcpy(endpoint.address.data(), address, size);
  endpoint.port = ntohs(port);
}

// connect to 0.0.0.0 reaches this machine, by the address the socket is bound to if it is: an
// address that no policy has seen. So the wildcard is replaced, not only decided as, loopback.
in_addr without_wildcard(in_addr address) {
  if (address.s_addr == htonl(INADDR_ANY)) address.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::expected<Address, int> read_ipv4(std::string_view bytes) {
  if (bytes.size() < sizeof(sockaddr_in)) return std::unexpected(EINVAL);
  const auto given = copy_of<sockaddr_in>(bytes);
  if (given.sin_family != AF_INET) return std::unexpected(EAFNOSUPPORT);
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = given.sin_port;
  made.sin_addr = without_wildcard(given.sin_addr);

  Address address;
  set_endpoint(address.endpoint, Endpoint::Kind::kIpv4, &made.sin_addr, sizeof made.sin_addr,
               made.sin_port);
  store(address, made);
  return address;
}

std::expected<Address, int> read_ipv6(std::string_view bytes) {
  if (bytes.size() < kIpv6MinimumSize) return std::unexpected(EINVAL);
  const auto given = copy_of<sockaddr_in6>(bytes);
  if (given.sin6_family != AF_INET6) return std::unexpected(EAFNOSUPPORT);
  sockaddr_in6 made{};
  made.sin6_family = AF_INET6;
  made.sin6_port = given.sin6_port;
  made.sin6_addr = given.sin6_addr;
  // The kernel reads the scope of a whole sockaddr_in6 alone.
  if (bytes.size() >= sizeof given) made.sin6_scope_id = given.sin6_scope_id;

  Address address;
  if (IN6_IS_ADDR_V4MAPPED(&given.sin6_addr)) {
    constexpr std::size_t kIpv4Offset = 12;
    in_addr inner{};
    std::memcpy(&inner, given.sin6_addr.s6_addr + kIpv4Offset, sizeof inner);
    inner = without_wildcard(inner);
    std::memcpy(made.sin6_addr.s6_addr + kIpv4Offset, &inner, sizeof inner);
    set_endpoint(address.endpoint, Endpoint::Kind::kIpv4, &inner, sizeof inner, made.sin6_port);
  } else {
    if (IN6_IS_ADDR_UNSPECIFIED(&given.sin6_addr)) made.sin6_addr = in6addr_loopback;
    set_endpoint(address.endpoint, Endpoint::Kind::kIpv6, &made.sin6_addr, sizeof made.sin6_addr,
                 made.sin6_port);
  }
  store(address, made);
  return address;
}

std::expected<Address, int> read_unix(std::string_view bytes) {
  if (bytes.size() <= kUnixPathOffset || bytes.size() > sizeof(sockaddr_un)) {
    return std::unexpected(EINVAL);
  }
  if (family_of(bytes) != AF_UNIX) return std::unexpected(EINVAL);
  const std::string_view name = bytes.substr(kUnixPathOffset);
  Address address;
  if (name.front() == '\0') {
    address.endpoint.kind = Endpoint::Kind::kUnixAbstract;
    address.endpoint.name = name.substr(1);
    std::memcpy(&address.socket_address, bytes.data(), bytes.size());
    address.size = static_cast<socklen_t>(bytes.size());
    return address;
  }
  // A path of 108 bytes has no NUL, and needs none.
  address.endpoint.kind = Endpoint::Kind::kUnixPath;
  address.endpoint.name = name.substr(0, name.find('\0'));
  return address;
}

}  // namespace

std::expected<Address, int> read_address(int domain, std::string_view bytes) {
  if (bytes.size() > sizeof(sockaddr_storage)) return std::unexpected(EINVAL);
  switch (domain) {
    case AF_INET:
      return read_ipv4(bytes);
    case AF_INET6:
      return read_ipv6(bytes);
    case AF_UNIX:
      return read_unix(bytes);
    default:
      // An address of a kind that no policy can name.
      return std::unexpected(EACCES);
  }
}

bool is_disconnect(int domain, std::string_view bytes) {
  return (domain == AF_INET || domain == AF_INET6) && bytes.size() >= sizeof(sa_family_t) &&
         bytes.size() <= sizeof(sockaddr_storage) && family_of(bytes) == AF_UNSPEC;
}

void set_path(Address& address, std::string_view path) {
  sockaddr_un made{};
  made.sun_family = AF_UNIX;
  path.copy(made.sun_path, sizeof made.sun_path - 1);
  store(address, made);
}

std::string to_text(const Endpoint& endpoint) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (endpoint.kind) {
    case Endpoint::Kind::kIpv4:
      ::inet_ntop(AF_INET, endpoint.address.data(), text.data(), text.size());
      return std::string(text.data()) + ":" + std::to_string(endpoint.port);
    case Endpoint::Kind::kIpv6:
      ::inet_ntop(AF_INET6, endpoint.address.data(), text.data(), text.size());
      return "[" + std::string(text.data()) + "]:" + std::to_string(endpoint.port);
    case Endpoint::Kind::kUnixPath:
      return "unix:" + std::string(endpoint.name);
    case Endpoint::Kind::kUnixAbstract:
      return "unix:@" + std::string(endpoint.name);
  }
  return {};
}

}  // namespace torno::network
