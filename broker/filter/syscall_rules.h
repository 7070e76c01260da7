// The policy's own `syscall { … }` rules: vetted, and in the order the program tries them.
#pragma once

#include <vector>

#include "broker/filter/conditions.h"
#include "broker/filter/rule.h"
#include "broker/policy/loader.h"
#include "broker/policy/policy.h"

namespace torno::filter {

struct SyscallRules {
  // KILL first, then TRAP, ERRNO, LOG, ALLOW; in the policy's order within an action. Those without
  // an error.
  std::vector<Rule> rules;
  std::vector<policy::Diagnostic> errors;  // in the policy's order
};

SyscallRules syscall_rules(const policy::Policy& policy, const Conditions& conditions);

// Of rules without an error: those that never match, since others answer first (errors), and those
// that say the same again (warnings).
std::vector<policy::Diagnostic> idle_rules(const policy::Policy& policy);

}  // namespace torno::filter
