#include "broker/policy/file_rules.h"

#include <utility>

namespace torno::policy {
namespace {

// Named as the rule behind a path that more than kMaxActive patterns half match.
const RuleSource kTooManyPatterns{"<too many wildcard rules match this path>", 0, 0};

}  // namespace

RuleId FileRules::add(const PathPattern& pattern, Permissions allow, Permissions deny,
                      RuleSource source) {
  const auto rule = static_cast<RuleId>(sources_.size());
  sources_.push_back(std::move(source));
  extend(rule, pattern, allow, deny);
  return rule;
}

void FileRules::extend(RuleId rule, const PathPattern& pattern, Permissions allow,
                       Permissions deny) {
  paths_.add(pattern, allowed_by(allow), denied_by(deny), rule);
}

Verdict FileRules::decide(std::string_view path, Permissions wanted) const noexcept {
  const Match match = paths_.match(path, wanted);
  Verdict verdict;
  if (match.overflow) {
    verdict.rule = &kTooManyPatterns;
    return verdict;
  }
  const bool all_allowed = wanted != kNone && (wanted & ~match.allow) == 0;
  verdict.allowed = all_allowed && (wanted & match.deny) == 0;
  verdict.leads = !verdict.allowed && match.leads && (match.deny & (kRead | kStat)) == 0;
  if (match.deny_rule != kNoRule) {
    verdict.rule = &sources_[match.deny_rule];
  } else if (verdict.allowed) {
    verdict.rule = &sources_[match.allow_rule];
  }
  return verdict;
}

Permissions FileRules::permissions(std::string_view path) const noexcept {
  const Match match = paths_.match(path, kNone);
  return match.overflow ? kNone : static_cast<Permissions>(match.allow & ~match.deny);
}

}  // namespace torno::policy
