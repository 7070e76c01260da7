// Allow-lists of the calls that are many calls in one: commands, options, socket shapes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "broker/policy/policy.h"

namespace torno::filter {

std::span<const std::uint32_t> fcntl_commands();  // F_SETFL has a rule of its own
std::span<const std::uint32_t> ioctl_commands();
std::span<const std::uint32_t> prctl_options();
std::span<const std::uint32_t> arch_prctl_codes();

struct SocketShape {
  std::uint32_t domain;
  std::uint32_t type;
  std::uint32_t protocol;
};

// SOCK_NONBLOCK and SOCK_CLOEXEC, which may stand beside a type.
extern const std::uint32_t kSocketFlags;
extern const std::uint32_t kUnixDomain;

// The sockets for which the policy has a connect rule.
std::vector<SocketShape> socket_shapes(const policy::Policy& policy);
std::span<const std::uint32_t> socketpair_types();

struct SocketOption {
  std::uint32_t level;
  std::uint32_t name;
};

std::span<const SocketOption> settable_options();
std::span<const SocketOption> readable_options();

}  // namespace torno::filter
