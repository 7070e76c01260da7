// Landlock: the second wall, a ruleset made by the broker for one session.
#pragma once

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/policy/policy.h"

namespace torno::filter {

// The kernel's Landlock ABI; 0 where it has none.
int landlock_abi();

// A ruleset that handles every right this kernel knows and allows none: whatever the sandboxee
// may open comes from the broker. New for every session, since its holder may add rules to it.
Result<Fd> make_ruleset();

}  // namespace torno::filter
