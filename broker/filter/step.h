// Step: a small libseccomp filter, of which chain.h splices several into one program.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "broker/base/error.h"
#include "broker/filter/program.h"
#include "broker/filter/rule.h"

namespace torno::filter {

// The rules' instructions; `otherwise` is returned for what none of them matches. Rules for calls
// that the native architecture does not have, and those with the action `otherwise`, are left out.
// libseccomp takes milliseconds for some hundred rules, so the steps that nearly every policy
// needs were compiled with the project: those come from ready_steps(), the others from libseccomp.
Result<Instructions> make_step(std::span<const Rule> rules, std::uint32_t otherwise);

// The same by libseccomp, always.
Result<Instructions> compile_step(std::span<const Rule> rules, std::uint32_t otherwise);

// All that the instructions of a step follow from, as bytes.
std::string identity_of(std::span<const Rule> rules, std::uint32_t otherwise);

struct ReadyStep {
  std::string_view identity;
  std::span<const sock_filter> instructions;
};

// In the order of their identities. Written by the build (ready_steps/).
std::span<const ReadyStep> ready_steps();

}  // namespace torno::filter
