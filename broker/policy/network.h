// Network: a set of IP addresses, as a connect rule names it.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "broker/policy/endpoint.h"

namespace torno::policy {

struct Network {
  bool ipv6 = false;
  std::uint8_t length = 0;                 // bits of the address that count
  std::array<std::uint8_t, 16> address{};  // the others are 0

  bool operator==(const Network&) const = default;

  // "127.0.0.1", "::1", "10.0.0.0/8". The error is a sentence that says what to write instead.
  static std::expected<Network, std::string> parse(const std::string& text);

  // The network of `length` bits around an address.
  static Network around(const std::array<std::uint8_t, 16>& address, bool ipv6,
                        std::uint8_t length) noexcept;
};

// An Endpoint with the bytes its name refers to.
struct EndpointText {
  Endpoint::Kind kind = Endpoint::Kind::kIpv4;
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
  std::string name;

  // Lives as long as this does.
  Endpoint endpoint() const { return {kind, address, port, name}; }
};

// "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock", and "unix:@NAME" or "abstract:NAME", which are
// the same; normalised as Endpoint asks.
std::expected<EndpointText, std::string> parse_endpoint(const std::string& text);

}  // namespace torno::policy
