// The `arg { … }` parts of a syscall rule: 64-bit comparisons of the raw argument, as written.
#pragma once

#include <expected>
#include <vector>

#include "broker/base/error.h"
#include "broker/filter/comparison.h"
#include "proto/policy.pb.h"

namespace torno::filter {

struct ArgumentError {
  int argument = 0;  // which `arg` of the rule
  Error error;
};

// An error for an index, operator or mask that is none, and where the ordered comparisons of an
// argument leave no value that satisfies them all.
std::expected<std::vector<Comparison>, ArgumentError> rule_comparisons(
    const policy::SyscallRule& rule);

// Does `wide` match every call of that name that `narrow` matches? A "yes" is certain.
bool covers(const policy::SyscallRule& wide, const policy::SyscallRule& narrow);

}  // namespace torno::filter
