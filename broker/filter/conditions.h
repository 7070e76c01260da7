// Conditions: calls whose answer depends on their arguments, or on the transport. The program tries
// the three stages in this order, the first match answers, and what none of them matches goes to
// the call's group.
#pragma once

#include <vector>

#include "broker/filter/rule.h"
#include "broker/filter/transport.h"
#include "broker/policy/policy.h"

namespace torno::filter {

struct Conditions {
  std::vector<Rule> marked;   // let through: reissued by the handler
  std::vector<Rule> refused;  // shapes of a call that are answered by an errno or a trap
  std::vector<Rule> native;   // let through: shapes of a call that need nobody
};

// In one stage the rules of one call compare the same arguments under the same masks, or exclude
// each other by the first one: libseccomp never has to merge two that overlap.
Conditions conditions_for(const policy::Policy& policy, int landlock_abi,
                          Transport transport = Transport::kTrap);

}  // namespace torno::filter
