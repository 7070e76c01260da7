// FileRules: what a policy's file rules say of a path.
#pragma once

#include <string_view>
#include <vector>

#include "broker/policy/automaton.h"
#include "broker/policy/permission.h"
#include "broker/policy/verdict.h"

namespace torno::policy {

// What a rule that names these permissions allows: whoever may open, change, make or run a file
// may also see that it is there, so each of them brings STAT.
constexpr Permissions allowed_by(Permissions named) {
  constexpr Permissions kBringsStat = kRead | kWrite | kCreate | kExecute;
  return (named & kBringsStat) != 0 ? static_cast<Permissions>(named | kStat) : named;
}

// What a rule that names these permissions denies: READ is contents, listing and metadata, so
// denying it hides the file.
constexpr Permissions denied_by(Permissions named) {
  return (named & kRead) != 0 ? static_cast<Permissions>(named | kStat) : named;
}

class FileRules {
 public:
  // Rules are reported in the order of adding: the first of several.
  RuleId add(const PathPattern& pattern, Permissions allow, Permissions deny, RuleSource source);
  void add_lead(const PathPattern& pattern) { paths_.add_lead(pattern); }
  // Adds patterns to a rule: a rule that denies a name through a symlink denies both places.
  void extend(RuleId rule, const PathPattern& pattern, Permissions allow, Permissions deny);
  void finish() { paths_.finish(); }
  // Once finished and checked: drops what wider rules say as well (PathAutomaton::pruned).
  void prune() { paths_ = paths_.pruned(); }

  Verdict decide(std::string_view path, Permissions wanted) const noexcept;
  Permissions permissions(std::string_view path) const noexcept;

  const PathAutomaton& paths() const { return paths_; }
  const RuleSource& source(RuleId rule) const { return sources_[rule]; }

 private:
  PathAutomaton paths_;
  std::vector<RuleSource> sources_;
};

}  // namespace torno::policy
