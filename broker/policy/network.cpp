#include "broker/policy/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "broker/base/error.h"

namespace torno::policy {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Address {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};
};

std::optional<Address> parse_address(const std::string& text) {
  Address address;
  if (text.find('\0') != std::string::npos) return std::nullopt;
  if (::inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address.ipv6 = true;
  if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

bool is_mapped(const Address& address) {
  return address.ipv6 &&
         std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
}

bool is_zero(const Address& address) {
  return std::ranges::all_of(address.bytes, [](std::uint8_t byte) { return byte == 0; });
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string to_text(const Network& network) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(network.ipv6 ? AF_INET6 : AF_INET, network.address.data(), text, sizeof text);
  return std::string(text) + "/" + std::to_string(network.length);
}

EndpointText normalised(const Address& address, std::uint16_t port) {
  EndpointText out;
  out.port = port;
  out.address = address.bytes;
  out.kind = address.ipv6 ? Endpoint::Kind::kIpv6 : Endpoint::Kind::kIpv4;
  if (is_mapped(address)) {
    out.kind = Endpoint::Kind::kIpv4;
    out.address = {};
    std::copy_n(address.bytes.begin() + kMappedPrefix.size(), 4, out.address.begin());
  }
  // connect(2) to a wildcard address reaches the machine itself.
  if (std::ranges::all_of(out.address, [](std::uint8_t byte) { return byte == 0; })) {
    if (out.kind == Endpoint::Kind::kIpv4) {
      out.address = {127, 0, 0, 1};
    } else {
      out.address.back() = 1;
    }
  }
  return out;
}

// Nothing: it names no unix socket.
std::optional<std::expected<EndpointText, std::string>> parse_unix(const std::string& text) {
  static constexpr std::string_view kPath = "unix:";
  for (const std::string_view prefix :
       {std::string_view("abstract:"), std::string_view("unix:@")}) {
    if (!text.starts_with(prefix)) continue;
    EndpointText out;
    out.kind = Endpoint::Kind::kUnixAbstract;
    out.name = text.substr(prefix.size());
    return out;
  }
  if (!text.starts_with(kPath)) return std::nullopt;
  EndpointText out;
  out.kind = Endpoint::Kind::kUnixPath;
  out.name = text.substr(kPath.size());
  if (out.name.starts_with('/')) return out;
  return std::unexpected("'" + escape(text) +
                         "' names no socket; write unix:/PATH, or abstract:NAME for an abstract "
                         "one");
}

}  // namespace

Network Network::around(const std::array<std::uint8_t, 16>& address, bool ipv6,
                        std::uint8_t length) noexcept {
  Network network;
  network.ipv6 = ipv6;
  network.length = length;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const int bits = std::clamp(length - static_cast<int>(8 * i), 0, 8);
    network.address[i] = static_cast<std::uint8_t>(address[i] & (0xff00U >> bits));
  }
  return network;
}

std::expected<Network, std::string> Network::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) {
    return std::unexpected("'" + escape(text) +
                           "' is no address; write one such as 127.0.0.1, ::1 or 10.0.0.0/8");
  }
  const unsigned bits = address->ipv6 ? 128 : 32;
  unsigned length = bits;
  if (slash != std::string::npos) {
    const auto number = parse_number<unsigned>(std::string_view(text).substr(slash + 1));
    if (!number || *number > bits) {
      return std::unexpected("'" + escape(text) + "' has a wrong prefix length; write 0 to " +
                             std::to_string(bits) + " after the '/'");
    }
    length = *number;
  }
  if (is_mapped(*address) && length >= 8 * kMappedPrefix.size()) {
    return std::unexpected("'" + escape(text) +
                           "' is an IPv4 address in IPv6 clothes; write the IPv4 address");
  }
  if (is_zero(*address) && length == bits) {
    const std::string loopback = address->ipv6 ? "::1" : "127.0.0.1";
    return std::unexpected("connecting to '" + escape(text) +
                           "' reaches the machine itself; write " + loopback + ", or " +
                           (address->ipv6 ? "::/0" : "0.0.0.0/0") + " for every address");
  }
  const Network network = around(address->bytes, address->ipv6, static_cast<std::uint8_t>(length));
  if (network.address != address->bytes) {
    return std::unexpected("'" + escape(text) + "' has bits behind its prefix length; write " +
                           to_text(network));
  }
  return network;
}

std::expected<EndpointText, std::string> parse_endpoint(const std::string& text) {
  if (auto unix_socket = parse_unix(text)) return std::move(*unix_socket);
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = parse_address(host);
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : parse_number<std::uint16_t>(std::string_view(text).substr(colon + 1));
  if (!address || !port || *port == 0 || address->ipv6 != bracketed) {
    return std::unexpected("'" + escape(text) +
                           "' is no endpoint; write one such as 127.0.0.1:80, [::1]:80, "
                           "unix:/run/x.sock or abstract:NAME");
  }
  return normalised(*address, *port);
}

}  // namespace torno::policy
