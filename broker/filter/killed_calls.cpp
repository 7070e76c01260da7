#include "broker/filter/killed_calls.h"

#include <algorithm>
#include <string>
#include <utility>

#include "broker/filter/conditions.h"
#include "broker/filter/groups.h"
#include "broker/filter/landlock.h"
#include "broker/filter/syscall_rules.h"

namespace torno::filter {
namespace {

bool holds(const Comparison& comparison, std::uint64_t is) {
  const std::uint64_t value = comparison.datum_a;
  switch (comparison.op) {
    case SCMP_CMP_NE:
      return is != value;
    case SCMP_CMP_LT:
      return is < value;
    case SCMP_CMP_LE:
      return is <= value;
    case SCMP_CMP_EQ:
      return is == value;
    case SCMP_CMP_GE:
      return is >= value;
    case SCMP_CMP_GT:
      return is > value;
    case SCMP_CMP_MASKED_EQ:
      return (is & value) == comparison.datum_b;
    default:
      return true;  // rule_comparisons() makes no others; rather killed than let through
  }
}

}  // namespace

KilledCalls::KilledCalls(const policy::Policy& policy) {
  for (Rule& rule : syscall_rules(policy, conditions_for(policy, landlock_abi())).rules) {
    if (rule.action != SCMP_ACT_KILL_PROCESS) continue;
    rules_[call_number(rule.call)].push_back(std::move(rule.when));
  }
  unknown_ = policy.merged().unknown_syscall() == policy::UNKNOWN_KILL;
  if (!unknown_) return;
  for (const Group& group : groups()) {
    for (const std::string_view call : group.calls) known_.insert(call_number(std::string(call)));
  }
}

bool KilledCalls::contains(int number, const std::array<std::uint64_t, 6>& arguments) const {
  if (unknown_ && (number < 0 || !known_.contains(number))) return true;
  const auto found = rules_.find(number);
  if (found == rules_.end()) return false;
  return std::ranges::any_of(found->second, [&](const std::vector<Comparison>& rule) {
    return std::ranges::all_of(
        rule, [&](const Comparison& each) { return holds(each, arguments[each.arg]); });
  });
}

bool stays_native(std::string_view call) {
  return call == "write";
}

}  // namespace torno::filter
