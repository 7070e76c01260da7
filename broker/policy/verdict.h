// Verdict: what decide() answers, and the rule behind it.
#pragma once

#include <string>
#include <vector>

namespace torno::policy {

// Where a rule stands.
struct RuleSource {
  std::string file;
  int line = 0;
  int column = 0;
};

// Where a syscall rule and its parts stand.
struct SyscallPlaces {
  RuleSource rule;
  RuleSource name;
  RuleSource action;
  std::vector<RuleSource> arguments;
};

struct Verdict {
  bool allowed = false;

  // For a denied path: it is a directory on the way to something allowed. Such a one answers
  // stat, access(F_OK) and readlink (of a symlink on the way), and nothing else.
  bool leads = false;

  // The deny rule that refuses, or the allow rule that permits; null when no rule says anything.
  // Lives as long as the policy.
  const RuleSource* rule = nullptr;
};

}  // namespace torno::policy
