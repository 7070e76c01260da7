// Welcome: what a sandboxee needs for its seal, made from its policy.
#pragma once

#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/session/policy_store.h"
#include "proto/wire.pb.h"

namespace torno::session {

struct Welcome {
  wire::Welcome message;
  std::vector<Fd> fds;  // program, then the ruleset if LAYER_LANDLOCK is set
};

// Fails when the policy requires a wall that this kernel lacks.
Result<Welcome> make_welcome(const ReadyPolicy& ready);

// The same for a program that the launcher confined already: the trap filter alone.
Result<Welcome> make_launched_welcome(const ReadyPolicy& ready);

// The wire versions this broker speaks.
inline constexpr std::uint32_t kMinVersion = wire::VERSION;
inline constexpr std::uint32_t kMaxVersion = wire::VERSION;

}  // namespace torno::session
