#include "broker/filter/compiler.h"

#include <linux/bpf_common.h>

#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>

#include "broker/filter/chain.h"
#include "broker/filter/conditions.h"
#include "broker/filter/groups.h"
#include "broker/filter/killed_calls.h"
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

// What the library answers, of the groups.
std::vector<Rule> library_rules() {
  std::vector<Rule> rules;
  for (const Group& group : groups()) {
    if (group.kind != Kind::kBrokered && group.kind != Kind::kTranslated) continue;
    for (const std::string_view call : group.calls) {
      rules.push_back({std::string(call), SCMP_ACT_TRAP, {}});
    }
  }
  return rules;
}

Error located(const policy::Policy& policy, const Error& error) {
  return {"policy " + policy.name() + ": " + error.message};
}

bool lets_through(const Rule& rule) {
  return rule.action == SCMP_ACT_ALLOW || rule.action == SCMP_ACT_LOG;
}

// The tables and libseccomp know one program, that of traps; for the notify transport each return
// of a trap becomes one of a notification. libseccomp would take SCMP_ACT_NOTIFY only where the
// kernel it compiles on has it, and never as the default action, which unknown_syscall may need.
void notify_instead_of_trap(Instructions& program) {
  for (sock_filter& instruction : program) {
    if (instruction.code == (BPF_RET | BPF_K) && instruction.k == SECCOMP_RET_TRAP) {
      instruction.k = SECCOMP_RET_USER_NOTIF;
    }
  }
}

// The other program has the policy's rules, and the kernel takes the stricter answer of the two.
Result<Instructions> compile_on_notify(const policy::Policy& policy, int landlock_abi) {
  const Conditions conditions = conditions_for(policy, landlock_abi, Transport::kTrapOnNotify);
  Chain chain;
  for (const auto* stage : {&conditions.marked, &conditions.refused, &conditions.native}) {
    if (const auto added = chain.add(*stage); !added) return std::unexpected(added.error());
  }
  return chain.finish(library_rules(), SCMP_ACT_ALLOW);
}

// A call that kills comes to the supervisor too, which names it and kills. What is of another
// architecture, or of x32, it could not tell from a native one: for that the kernel kills.
void notify_instead_of_kill(std::vector<Rule>& rules) {
  for (Rule& rule : rules) {
    if (rule.action == SCMP_ACT_KILL_PROCESS && !stays_native(rule.call)) {
      rule.action = SCMP_ACT_TRAP;
    }
  }
}

}  // namespace

Result<Instructions> compile_for(const policy::Policy& policy, int landlock_abi,
                                 Transport transport) {
  if (transport == Transport::kTrapOnNotify) return compile_on_notify(policy, landlock_abi);
  // A rule is vetted against the trap transport whatever the program is for: a policy is right or
  // wrong for both.
  SyscallRules policy_rules = syscall_rules(policy, conditions_for(policy, landlock_abi));
  if (!policy_rules.errors.empty()) {
    return std::unexpected(Error{policy_rules.errors.front().text()});
  }

  std::uint32_t unknown = unknown_action(policy.merged().unknown_syscall());
  if (transport == Transport::kNotify) {
    notify_instead_of_kill(policy_rules.rules);
    if (unknown == SCMP_ACT_KILL_PROCESS) unknown = SCMP_ACT_TRAP;
  }
  const Conditions conditions = conditions_for(policy, landlock_abi, transport);
  // A rule that lets through has no refused shape to lose (syscall_rules.h), or it goes second.
  const auto letting_through = std::ranges::find_if(policy_rules.rules, lets_through);
  Chain chain;
  Result<void> added;
  const auto add_rules = [&](auto first, auto last) {
    for (; added && first != last; ++first) added = chain.add_exact(*first);
  };
  const auto add_stage = [&](const std::vector<Rule>& stage) {
    if (added) added = chain.add(stage);
  };
  add_rules(policy_rules.rules.begin(), letting_through);
  add_stage(conditions.marked);
  add_stage(conditions.refused);
  add_rules(letting_through, policy_rules.rules.end());
  add_stage(conditions.native);
  if (!added) return std::unexpected(located(policy, added.error()));
  Result<Instructions> program = chain.finish(group_rules(), unknown);
  if (!program) return std::unexpected(located(policy, program.error()));
  if (transport == Transport::kNotify) notify_instead_of_trap(*program);
  if (program->size() > BPF_MAXINSNS) {
    return std::unexpected(
        located(policy, {"its syscall rules make a filter of " + std::to_string(program->size()) +
                         " instructions, and the kernel takes " + std::to_string(BPF_MAXINSNS) +
                         "; use fewer rules or comparisons"}));
  }
  return program;
}

}  // namespace torno::filter
