#include "broker/filter/syscall_rules.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "broker/filter/groups.h"
#include "broker/filter/rule_comparisons.h"
#include "broker/policy/quantity.h"

namespace torno::filter {
namespace {

using policy::SyscallRule;

// Trapping one of these leaves a thread half made, a lock held, or the handler without a way back.
constexpr std::array<std::string_view, 12> kNeverTrapped = {"rt_sigreturn",
                                                            "rseq",
                                                            "set_robust_list",
                                                            "set_tid_address",
                                                            "restart_syscall",
                                                            "futex",
                                                            "clone",
                                                            "fork",
                                                            "vfork",
                                                            "clone3",
                                                            "exit",
                                                            "exit_group"};

// What the sandboxee's handler itself calls after the seal. A rule with arguments may narrow one
// of them; without any it would break every brokered call.
constexpr std::array<std::string_view, 14> kHandlerNeeds = {
    "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "recvmsg",   "sendmsg",
    "sendto",       "writev",         "getpid",        "gettid",    "getcwd",
    "close",        "close_range",    "fcntl",         "exit_group"};

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool restricts(policy::Action action) {
  return action == policy::KILL || action == policy::TRAP || action == policy::ERRNO;
}

std::string_view word(policy::Action action) {
  return policy::Action_Name(action);
}

// Letting a call through goes before every condition and every group, so only calls that have
// none to lose qualify. LOG is the kernel's "allow, and log it".
Result<void> check_letting_through(const SyscallRule& rule, const Group& group,
                                   const Conditions& conditions) {
  const std::string head = std::string(word(rule.action())) + " of " + rule.name();
  const std::string tail = "; a policy can only narrow it";
  switch (group.kind) {
    case Kind::kAllowed: {
      const bool narrowed = std::ranges::any_of(
          conditions.refused, [&](const Rule& r) { return r.call == rule.name(); });
      if (!narrowed) return {};
      return std::unexpected(
          Error{head + " would lift a wall: some of its arguments are refused" + tail});
    }
    case Kind::kByArguments:
      return std::unexpected(Error{head +
                                   " would lift a wall: it is let through for some "
                                   "arguments only (" +
                                   std::string(group.reason) + ")" + tail});
    case Kind::kTranslated:
      return std::unexpected(Error{head +
                                   " would lift a wall: the sandboxee's handler translates "
                                   "it (" +
                                   std::string(group.reason) + ")" + tail});
    case Kind::kBrokered:
      return std::unexpected(Error{head + " would go around the broker; say what it may reach "
                                          "with a file or connect rule"});
    case Kind::kRefused:
      if (group.policy_may_allow) return {};
      return std::unexpected(
          Error{head + " would lift a wall: " + std::string(group.reason) + "; remove the rule"});
  }
  return {};
}

Result<void> check_restricting(const SyscallRule& rule, const Group& group) {
  const std::string head = std::string(word(rule.action())) + " of " + rule.name();
  if (rule.name() == "rt_sigreturn") {
    return std::unexpected(
        Error{head + " is not possible: every signal handler returns through it"});
  }
  if (rule.action() == policy::TRAP) {
    if (contains(kNeverTrapped, rule.name())) {
      return std::unexpected(
          Error{head +
                " is not possible: libc calls it where no trap can be handled; use ERRNO or KILL"});
    }
    if (group.kind == Kind::kBrokered || group.kind == Kind::kTranslated) {
      return std::unexpected(Error{head + " changes nothing: it is trapped to be performed, not "
                                          "to be refused; use ERRNO or KILL"});
    }
  }
  if (rule.arg().empty() && contains(kHandlerNeeds, rule.name())) {
    return std::unexpected(Error{head + " would break brokered calls, for which the "
                                        "sandboxee's handler needs it; name arguments"});
  }
  return {};
}

// The loader has checked the rule's form; what it should have refused is refused here too.
Result<std::uint32_t> kernel_action(const SyscallRule& rule) {
  switch (rule.action()) {
    case policy::KILL:
      return SCMP_ACT_KILL_PROCESS;
    case policy::TRAP:
      return SCMP_ACT_TRAP;
    case policy::LOG:
      return SCMP_ACT_LOG;
    case policy::ALLOW:
      return SCMP_ACT_ALLOW;
    case policy::ERRNO: {
      const auto value = policy::errno_value(rule.errno_name());
      if (value) return SCMP_ACT_ERRNO(static_cast<std::uint32_t>(*value));
      return std::unexpected(
          Error{"unknown errno \"" + escape(rule.errno_name()) + "\"; errno(3) lists the names"});
    }
    default:
      return std::unexpected(Error{"action is missing: ALLOW, ERRNO, TRAP, KILL or LOG"});
  }
}

// What is wrong with a rule, and where.
struct Fault {
  policy::RuleSource where;
  std::string message;
};

std::expected<Rule, Fault> compile_rule(const SyscallRule& rule,
                                        const policy::SyscallPlaces& places,
                                        const Conditions& conditions) {
  const Group* group = group_of(rule.name());
  if (group == nullptr || call_number(rule.name()) < 0) {
    return std::unexpected(Fault{places.name, "unknown system call \"" + escape(rule.name()) +
                                                  "\"; `torno syscall NAME` looks one up"});
  }
  const auto action = kernel_action(rule);
  if (!action) return std::unexpected(Fault{places.action, action.error().message});
  auto comparisons = rule_comparisons(rule);
  if (!comparisons) {
    const auto argument = static_cast<std::size_t>(comparisons.error().argument);
    const bool known = argument < places.arguments.size();
    return std::unexpected(Fault{known ? places.arguments[argument] : places.rule,
                                 std::move(comparisons.error().error.message)});
  }
  const auto permitted = restricts(rule.action()) ? check_restricting(rule, *group)
                                                  : check_letting_through(rule, *group, conditions);
  if (!permitted) return std::unexpected(Fault{places.action, permitted.error().message});
  return Rule{rule.name(), *action, std::move(*comparisons)};
}

// The policy's rules in the order in which the program tries them.
std::vector<int> tried_order(const policy::Policy& policy) {
  std::vector<int> order;
  for (const auto action : {policy::KILL, policy::TRAP, policy::ERRNO, policy::LOG, policy::ALLOW,
                            policy::ACTION_UNSPECIFIED}) {
    for (int i = 0; i < policy.merged().syscall_size(); ++i) {
      if (policy.merged().syscall(i).action() == action) order.push_back(i);
    }
  }
  return order;
}

std::string place(const policy::RuleSource& source) {
  return escape(source.file) + ":" + std::to_string(source.line);
}

}  // namespace

SyscallRules syscall_rules(const policy::Policy& policy, const Conditions& conditions) {
  SyscallRules out;
  std::vector<std::optional<Rule>> compiled;
  for (int i = 0; i < policy.merged().syscall_size(); ++i) {
    auto rule = compile_rule(policy.merged().syscall(i), policy.syscall_places(i), conditions);
    compiled.push_back(rule ? std::optional(std::move(*rule)) : std::nullopt);
    if (rule) continue;
    out.errors.push_back({policy::Diagnostic::Severity::kError, std::move(rule.error().where),
                          std::move(rule.error().message)});
  }
  for (const int i : tried_order(policy)) {
    auto& rule = compiled[static_cast<std::size_t>(i)];
    if (rule) out.rules.push_back(std::move(*rule));
  }
  return out;
}

std::vector<policy::Diagnostic> idle_rules(const policy::Policy& policy) {
  using Severity = policy::Diagnostic::Severity;
  std::map<int, policy::Diagnostic> found;  // by the rule
  std::map<std::string, std::vector<int>> before;
  for (const int i : tried_order(policy)) {
    const SyscallRule& rule = policy.merged().syscall(i);
    const policy::RuleSource& where = policy.syscall_places(i).rule;
    std::vector<int>& earlier = before[rule.name()];
    const auto first = std::ranges::find_if(
        earlier, [&](int other) { return covers(policy.merged().syscall(other), rule); });
    if (first == earlier.end()) {
      earlier.push_back(i);
      continue;
    }
    const SyscallRule& other = policy.merged().syscall(*first);
    const policy::RuleSource& by = policy.syscall_places(*first).rule;
    if (other.action() != rule.action() || other.errno_name() != rule.errno_name()) {
      found[i] = {Severity::kError, where,
                  "the rule can never match: " + std::string(word(other.action())) + " at " +
                      place(by) + " answers all of it first; remove one of the two"};
    } else if (by.file == where.file) {
      found[i] = {Severity::kWarning, where,
                  "superfluous: " + place(by) + " says the same; remove the rule"};
    }
  }
  std::vector<policy::Diagnostic> out;
  out.reserve(found.size());
  for (auto& [rule, diagnostic] : found) out.push_back(std::move(diagnostic));
  return out;
}

}  // namespace torno::filter
