// Reference: the meaning of globs and file rules written down as plainly as it can be, rule by
// rule and letter by letter. The engine must agree with it on everything.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "broker/policy/permission.h"
#include "tests/support/seed.h"

namespace torno::policy::reference {

bool glob_match(std::string_view glob, std::string_view name);

struct Rule {
  std::string path;
  Permissions allow = kNone;
  Permissions deny = kNone;
};

struct Answer {
  bool allowed = false;
  bool leads = false;
  int rule = -1;  // index of the rule behind it; -1: none
};

// Rules: their permissions as named in a policy, without what READ and others bring along.
Answer decide(const std::vector<Rule>& rules, std::string_view path, Permissions wanted);

// Random words over few letters, so that they often match.
class Random {
 public:
  explicit Random(unsigned own_seed) : engine_(test::seed(own_seed)) {}
  unsigned below(unsigned limit) { return static_cast<unsigned>(engine_() % limit); }
  bool one_in(unsigned n) { return below(n) == 0; }
  std::string name();
  std::string glob();
  std::string path();     // canonical
  std::string pattern();  // a rule's path
  Permissions some(Permissions of);

 private:
  std::mt19937 engine_;
};

}  // namespace torno::policy::reference
