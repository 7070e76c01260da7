// Endpoint: where a connect leads, in the policy's words.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace torno::policy {

struct Endpoint {
  enum class Kind { kIpv4, kIpv6, kUnixPath, kUnixAbstract };
  Kind kind = Kind::kIpv4;
  // Network byte order; an IPv4 address takes the first four. Already normalised: an
  // IPv4-mapped IPv6 address is kIpv4, the wildcard addresses are loopback.
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;  // host byte order
  std::string_view name;   // canonical path, or abstract name without its leading NUL
};

}  // namespace torno::policy
