// Landlock: the second wall, a ruleset made by the broker for one session.
#pragma once

#include <span>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/policy/policy.h"

namespace torno::filter {

// The kernel's Landlock ABI; 0 where it has none.
int landlock_abi();

// A ruleset that handles every right this kernel knows and allows none, but for executing what is
// named: whatever the sandboxee may open comes from the broker. New for every session, since its
// holder may add rules to it.
Result<Fd> make_ruleset(std::span<const int> executable = {});

// Lets the file, or every file beneath the directory, be executed; `place` may be an O_PATH
// descriptor. Landlock never refuses a file that no path leads to, as a memfd: it needs no rule,
// and no rule holds it back.
Result<void> allow_execution(int ruleset, int place);

}  // namespace torno::filter
