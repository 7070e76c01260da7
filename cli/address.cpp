#include "cli/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace torno::cli {

namespace {

using policy::Endpoint;

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kAbstract = "abstract:";

bool parse_port(std::string_view text, std::uint16_t& port) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stopped == end && port != 0;
}

void set_ipv4(Endpoint& endpoint, const void* bytes) {
  endpoint.kind = Endpoint::Kind::kIpv4;
  std::memcpy(endpoint.address.data(), bytes, sizeof(in_addr));
  // The kernel connects the wildcard address to the loopback interface.
  if (std::ranges::all_of(endpoint.address, [](std::uint8_t byte) { return byte == 0; })) {
    endpoint.address = {127, 0, 0, 1};
  }
}

// As the network sees it: an IPv4 address in IPv6 clothes is an IPv4 address.
bool parse_host(const std::string& host, bool bracketed, Endpoint& endpoint) {
  in_addr four{};
  if (!bracketed && inet_pton(AF_INET, host.c_str(), &four) == 1) {
    set_ipv4(endpoint, &four);
    return true;
  }
  in6_addr six{};
  if (!bracketed || inet_pton(AF_INET6, host.c_str(), &six) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    set_ipv4(endpoint, &six.s6_addr[12]);
    return true;
  }
  endpoint.kind = Endpoint::Kind::kIpv6;
  if (IN6_IS_ADDR_UNSPECIFIED(&six)) six = in6addr_loopback;
  std::memcpy(endpoint.address.data(), &six, sizeof six);
  return true;
}

}  // namespace

Result<Address> parse_address(const std::string& text) {
  Address result;
  if (text.starts_with(kUnix) && text.size() > kUnix.size()) {
    result.endpoint.kind = Endpoint::Kind::kUnixPath;
    result.name = text.substr(kUnix.size());
    return result;
  }
  if (text.starts_with(kAbstract) && text.size() > kAbstract.size()) {
    result.endpoint.kind = Endpoint::Kind::kUnixAbstract;
    result.name = text.substr(kAbstract.size());
    return result;
  }
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos && parse_port(text.substr(colon + 1), result.endpoint.port)) {
    std::string host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (parse_host(host, bracketed, result.endpoint)) return result;
  }
  return std::unexpected(Error{"'" + escape(text) +
                               "' is no address: say 127.0.0.1:80, [::1]:80, " +
                               "unix:/run/x.sock or abstract:NAME"});
}

}  // namespace torno::cli
