// Address: a struct sockaddr that a client wrote, read with the kernel's own rules and turned into
// an endpoint for the policy and a sockaddr of the broker's making for the kernel. What is
// connected to is thus what was decided on, whatever the client does to its memory meanwhile.
#pragma once

#include <sys/socket.h>

#include <expected>
#include <string>
#include <string_view>

#include "broker/policy/endpoint.h"

namespace torno::network {

struct Address {
  policy::Endpoint endpoint;  // its name points into the bytes that were read
  struct sockaddr_storage socket_address{};
  socklen_t size = 0;

  // Of a unix socket with a path: the endpoint's name is not canonical yet, and the sockaddr is
  // empty.
  bool is_path() const { return endpoint.kind == policy::Endpoint::Kind::kUnixPath; }
};

// `domain` is the socket's. The error is what connect(2) would say of such bytes.
std::expected<Address, int> read_address(int domain, std::string_view bytes);

// AF_UNSPEC: connect(2) takes it to end a TCP connection. It names nothing.
bool is_disconnect(int domain, std::string_view bytes);

// A unix socket by a path of the broker's.
void set_path(Address& address, std::string_view path);

// "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "unix:@abstract".
std::string to_text(const policy::Endpoint& endpoint);

}  // namespace torno::network
