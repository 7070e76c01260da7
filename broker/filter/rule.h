// Rule: a system call, what its arguments must satisfy, and the kernel's action for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/filter/comparison.h"

namespace torno::filter {

struct Rule {
  std::string call;
  std::uint32_t action = SCMP_ACT_KILL_PROCESS;
  std::vector<Comparison> when;  // all must hold; none: every call
};

// The call's number on the native architecture, or a negative value where it has none.
int call_number(const std::string& call);

}  // namespace torno::filter
