#include "broker/filter/compiler.h"

#include <linux/bpf_common.h>

#include <cerrno>

#include "broker/filter/chain.h"
#include "broker/filter/conditions.h"
#include "broker/filter/groups.h"
#include "broker/filter/syscall_rules.h"

namespace torno::filter {
namespace {

std::uint32_t unknown_action(policy::UnknownSyscall choice) {
  switch (choice) {
    case policy::UNKNOWN_KILL:
      return SCMP_ACT_KILL_PROCESS;
    case policy::UNKNOWN_TRAP:
      return SCMP_ACT_TRAP;
    case policy::UNKNOWN_LOG:
      return SCMP_ACT_LOG;
    default:
      return SCMP_ACT_ERRNO(ENOSYS);
  }
}

std::vector<Rule> group_rules() {
  std::vector<Rule> rules;
  for (const Group& group : groups()) {
    for (const std::string_view call : group.calls) {
      rules.push_back({std::string(call), group.action, {}});
    }
  }
  return rules;
}

Error located(const policy::Policy& policy, const Error& error) {
  return {"policy " + policy.name() + ": " + error.message};
}

}  // namespace

Result<Instructions> compile_for(const policy::Policy& policy, int landlock_abi) {
  const auto& limit = policy.merged().limit();
  if (limit.has_processes() && limit.processes() != 1) {
    return std::unexpected(located(
        policy, {"limit { processes } is 1 or absent: a filter can only forbid new processes"}));
  }

  const Conditions conditions = conditions_for(policy, landlock_abi);
  const SyscallRules policy_rules = syscall_rules(policy, conditions);
  if (!policy_rules.errors.empty()) {
    return std::unexpected(Error{policy_rules.errors.front().text()});
  }

  Chain chain;
  for (const Rule& rule : policy_rules.rules) {
    if (const auto added = chain.add_exact(rule); !added) {
      return std::unexpected(located(policy, added.error()));
    }
  }
  for (const auto* stage : {&conditions.marked, &conditions.refused, &conditions.native}) {
    if (const auto added = chain.add(*stage); !added) {
      return std::unexpected(located(policy, added.error()));
    }
  }
  Result<Instructions> program =
      chain.finish(group_rules(), unknown_action(policy.merged().unknown_syscall()));
  if (!program) return std::unexpected(located(policy, program.error()));
  if (program->size() > BPF_MAXINSNS) {
    return std::unexpected(
        located(policy, {"its syscall rules make a filter of " + std::to_string(program->size()) +
                         " instructions, and the kernel takes " + std::to_string(BPF_MAXINSNS) +
                         "; use fewer rules or comparisons"}));
  }
  return program;
}

}  // namespace torno::filter
