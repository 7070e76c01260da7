// The policy's own `syscall { … }` rules: vetted, and in the order the program tries them.
#pragma once

#include <vector>

#include "broker/base/error.h"
#include "broker/filter/conditions.h"
#include "broker/filter/rule.h"
#include "broker/policy/policy.h"

namespace torno::filter {

// KILL first, then TRAP, ERRNO, LOG, ALLOW; in the policy's order within an action. An error says
// where the rule stands ("FILE:LINE:COL: error: TEXT").
Result<std::vector<Rule>> syscall_rules(const policy::Policy& policy, const Conditions& conditions);

}  // namespace torno::filter
