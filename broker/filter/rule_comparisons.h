// The `arg { … }` parts of a syscall rule: 64-bit comparisons of the raw argument, as written.
#pragma once

#include <vector>

#include "broker/base/error.h"
#include "broker/filter/comparison.h"
#include "proto/policy.pb.h"

namespace torno::filter {

// An error for an index, operator or mask that is none, and where the ordered comparisons of an
// argument leave no value that satisfies them all.
Result<std::vector<Comparison>> rule_comparisons(const policy::SyscallRule& rule);

}  // namespace torno::filter
