#include "broker/policy/compile.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "broker/base/error.h"
#include "broker/policy/file_rules.h"
#include "broker/policy/procfs.h"

namespace torno::policy {
namespace {

constexpr Permissions kMainPermissions = kRead | kWrite | kCreate | kExecute | kStat;
constexpr Permissions kEverything = (1U << kPermissionCount) - 1;
constexpr std::string_view kBrokersOwn = "<broker's own>";

std::string place(const RuleSource& source) {
  std::string out = escape(source.file);
  if (source.line > 0) out += ":" + std::to_string(source.line);
  return out;
}

PathPattern beneath(const std::string& path) {
  PathPattern pattern = PathPattern::literal(path);
  pattern.components.push_back({Component::Kind::kAnyDepth, "**"});
  return pattern;
}

// Whether `rule` should be called superfluous for what `other` says.
template <typename DraftRule>
bool worth_a_warning(const DraftRule& rule, bool adapted, const DraftRule& other,
                     bool other_adapted, const std::string& main_file) {
  if (adapted || other_adapted) return false;
  return rule.source.file == main_file || rule.source.file == other.source.file;
}

void check_file_rule(const Draft& draft, const FileRules& rules, RuleId id,
                     const std::string& main_file, Report& report) {
  const DraftFileRule& rule = draft.files[id];
  const Permissions allow = allowed_by(rule.allow);
  const Permissions deny = denied_by(rule.deny);
  if (rule.allow != kNone && procfs::is_beneath(rule.path.pattern) &&
      (allow & procfs::possible(rule.path.pattern)) == 0) {
    report.error(rule.source,
                 "the rule can never match: of /proc a program is given its own part, written "
                 "/proc/self, and some harmless files; see docs/policy.md, or remove the rule");
    return;
  }
  const auto named = static_cast<Permissions>(rule.allow & kMainPermissions);
  const Match others = rules.paths().cover(rule.path.pattern, named != kNone ? named : deny, id);
  if (named != kNone && (named & ~others.deny) == 0) {
    report.error(rule.source, "the rule can never match: " + place(rules.source(others.deny_rule)) +
                                  " denies " + to_string(named) +
                                  " on all of it; remove one of the two");
    return;
  }
  if ((allow & ~others.allow) != 0 || (deny & ~others.deny) != 0) return;
  const RuleId by = named != kNone ? others.allow_rule : others.deny_rule;
  if (by >= draft.files.size()) return;
  const DraftFileRule& other = draft.files[by];
  if (worth_a_warning(rule, rule.path.adapted, other, other.path.adapted, main_file)) {
    report.warning(rule.source,
                   "superfluous: " + place(other.source) + " says the same; remove the rule");
  }
}

// The kernel takes exec permissions for whole trees and has no way to take one back beneath.
void check_execute(const Draft& draft, const FileRules& rules, Report& report) {
  std::vector<RuleId> allowing;
  for (RuleId id = 0; id < draft.files.size(); ++id) {
    if ((draft.files[id].allow & kExecute) != 0) allowing.push_back(id);
  }
  for (RuleId id = 0; id < draft.files.size() && !allowing.empty(); ++id) {
    const DraftFileRule& rule = draft.files[id];
    if ((rule.deny & kExecute) == 0) continue;
    RuleId found = kNoRule;
    if (rule.path.pattern.is_literal()) {
      found = rules.paths().cover(rule.path.pattern, kExecute, id).allow_rule;
    } else {
      const auto other = std::ranges::find_if(allowing, [&](RuleId each) {
        return overlaps(draft.files[each].path.pattern, rule.path.pattern);
      });
      if (other != allowing.end()) found = *other;
    }
    if (found == kNoRule) continue;
    report.error(rule.source,
                 "EXECUTE is denied beneath what " + place(rules.source(found)) +
                     " allows, which the kernel cannot keep; narrow that rule instead");
  }
}

void check_connect_rule(const Draft& draft, const ConnectRules& rules, RuleId id,
                        const std::string& main_file, Report& report) {
  const DraftConnectRule& rule = draft.connects[id];
  // A rule of both address families is covered when both are.
  const auto covering = [&](bool deny) {
    if (rule.unix_path) return rules.covering(id, rule.unix_path->pattern, deny);
    if (rule.abstract) return rules.covering(id, *rule.abstract, deny);
    RuleId by = kNoRule;
    for (const Network& network : rule.networks) {
      by = rules.covering(id, network, rule.ports, deny);
      if (by == kNoRule) break;
    }
    return by;
  };
  if (!rule.deny) {
    if (const RuleId by = covering(true); by != kNoRule) {
      report.error(rule.source, "the rule can never match: " + place(rules.rule_source(by)) +
                                    " denies all of it; remove one of the two");
      return;
    }
  }
  const RuleId by = covering(rule.deny);
  if (by >= draft.connects.size()) return;
  const DraftConnectRule& other = draft.connects[by];
  if (worth_a_warning(rule, rule.adapted, other, other.adapted, main_file)) {
    report.warning(rule.source,
                   "superfluous: " + place(other.source) + " says the same; remove the rule");
  }
}

// Whoever could write the policy, or another one beside it, would choose what it allows when the
// program is started again.
void deny_own_file(const std::string& file, FileRules& rules) {
  const auto changes = static_cast<Permissions>(kWrite | kCreate);
  const RuleSource source{std::string(kBrokersOwn), 0, 0};
  rules.add(PathPattern::literal(file), kNone, changes, source);
  const std::string directory = file.substr(0, file.rfind('/'));
  PathPattern beside = PathPattern::literal(directory.empty() ? "/" : directory);
  beside.components.push_back({Component::Kind::kGlob, "*.policy"});
  rules.add(beside, kNone, changes, source);
}

std::unique_ptr<FileRules> compile_files(const Draft& draft) {
  auto rules = std::make_unique<FileRules>();
  for (const DraftFileRule& rule : draft.files) {
    const RuleId id = rules->add(rule.path.pattern, rule.allow, rule.deny, rule.source);
    if (rule.path.links.empty()) continue;
    if (rule.deny != kNone) rules->extend(id, rule.path.written, kNone, rule.deny);
    if (rule.allow == kNone) continue;
    for (const std::string& link : rule.path.links) rules->add_lead(PathPattern::literal(link));
  }
  for (const DraftConnectRule& rule : draft.connects) {
    if (rule.deny || !rule.unix_path) continue;
    rules->add_lead(rule.unix_path->pattern);
    for (const std::string& link : rule.unix_path->links) {
      rules->add_lead(PathPattern::literal(link));
    }
  }
  for (const std::string& own : draft.protected_paths) {
    rules->add(beneath(own), kNone, kEverything, {std::string(kBrokersOwn), 0, 0});
  }
  for (const std::string& own : draft.own_files) deny_own_file(own, *rules);
  for (const std::string& path : draft.readable) {
    rules->add(PathPattern::literal(path), kRead, kNone, {std::string(kBrokersOwn), 0, 0});
  }
  rules->finish();
  return rules;
}

std::unique_ptr<ConnectRules> compile_connects(const Draft& draft) {
  auto rules = std::make_unique<ConnectRules>();
  for (const DraftConnectRule& rule : draft.connects) {
    const RuleId id = rules->source(rule.source);
    for (const Network& network : rule.networks) {
      rules->add_network(id, network, rule.ports, rule.deny);
    }
    if (rule.unix_path) rules->add_path(id, rule.unix_path->pattern, rule.deny);
    if (rule.abstract) rules->add_abstract(id, *rule.abstract, rule.deny);
  }
  for (const std::string& own : draft.protected_paths) {
    rules->add_path(rules->source({std::string(kBrokersOwn), 0, 0}), beneath(own), true);
  }
  rules->finish();
  return rules;
}

void fail(const DraftExpectation& expectation, const std::string& what, const Verdict& verdict,
          Report& report) {
  std::string behind = "no rule allows it";
  if (verdict.rule != nullptr) behind = "by the rule at " + place(*verdict.rule);
  report.error(expectation.source, "expectation failed: " + what + " " +
                                       escape(expectation.written) + " is " +
                                       (verdict.allowed ? "allowed, " : "denied, ") + behind +
                                       "; change the rules or the expectation");
}

void check_expectation(const DraftExpectation& expectation, const Policy& policy, Report& report) {
  if (expectation.endpoint) {
    const Verdict verdict = policy.decide_connect(expectation.endpoint->endpoint());
    if (verdict.allowed == expectation.refused) fail(expectation, "CONNECT to", verdict, report);
    return;
  }
  for (int i = 0; i < kPermissionCount; ++i) {
    const auto wanted = static_cast<Permissions>(1U << i);
    if (((expectation.allow | expectation.deny) & wanted) == 0) continue;
    const Verdict verdict = policy.decide_file(expectation.path, wanted);
    const bool unexpected =
        verdict.allowed ? (expectation.deny & wanted) != 0 : (expectation.allow & wanted) != 0;
    if (unexpected) fail(expectation, to_string(wanted) + " of", verdict, report);
  }
}

}  // namespace

PolicyPtr compile(Draft draft, const std::string& main_file, Report& report) {
  auto files = compile_files(draft);
  auto connects = compile_connects(draft);
  for (RuleId id = 0; id < draft.files.size(); ++id) {
    check_file_rule(draft, *files, id, main_file, report);
  }
  check_execute(draft, *files, report);
  for (RuleId id = 0; id < draft.connects.size(); ++id) {
    check_connect_rule(draft, *connects, id, main_file, report);
  }
  if (report.has_errors()) return nullptr;
  files->prune();
  connects->prune();
  const auto policy = std::make_shared<const Policy>(
      std::move(draft.merged), std::move(draft.syscall_places), std::move(files),
      std::move(connects), std::move(draft.read_from));
  for (const DraftExpectation& expectation : draft.expectations) {
    check_expectation(expectation, *policy, report);
  }
  return report.has_errors() ? nullptr : policy;
}

}  // namespace torno::policy
