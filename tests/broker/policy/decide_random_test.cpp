// The engine against the reference: random rules, random paths, every answer equal.
#include <gtest/gtest.h>

#include "broker/policy/file_rules.h"
#include "tests/broker/policy/reference.h"

namespace torno::policy {
namespace {

constexpr Permissions kAll = (1U << kPermissionCount) - 1;

FileRules compiled(const std::vector<reference::Rule>& rules) {
  FileRules engine;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    engine.add(*PathPattern::parse(rules[i].path), rules[i].allow, rules[i].deny,
               {"", static_cast<int>(i), 0});
  }
  engine.finish();
  return engine;
}

std::string show(const std::vector<reference::Rule>& rules) {
  std::string out;
  for (const reference::Rule& rule : rules) {
    out += rule.path + " allow " + to_string(rule.allow) + " deny " + to_string(rule.deny) + "\n";
  }
  return out;
}

std::vector<reference::Rule> random_rules(reference::Random& random, unsigned most) {
  std::vector<reference::Rule> rules(random.below(most) + 1);
  for (reference::Rule& rule : rules) {
    rule.path = random.pattern();
    if (!random.one_in(4)) rule.allow = random.some(kAll);
    if (random.one_in(3)) rule.deny = random.some(random.some(kAll));
  }
  return rules;
}

struct Counts {
  int allowed = 0;
  int leads = 0;
  int denied_by_rule = 0;
};

void compare(const std::vector<reference::Rule>& rules, reference::Random& random, int paths,
             Counts& counts) {
  const FileRules engine = compiled(rules);
  FileRules pruned = compiled(rules);
  pruned.prune();
  for (int i = 0; i < paths; ++i) {
    const std::string path = random.path();
    const Permissions wanted = random.one_in(2)
                                   ? random.some(kAll)
                                   : static_cast<Permissions>(1U << random.below(kPermissionCount));
    const reference::Answer expected = reference::decide(rules, path, wanted);
    const Verdict verdict = engine.decide(path, wanted);
    const int rule = verdict.rule == nullptr ? -1 : verdict.rule->line;
    ASSERT_EQ(verdict.allowed, expected.allowed) << path << " " << to_string(wanted) << "\n"
                                                 << show(rules);
    ASSERT_EQ(verdict.leads, expected.leads) << path << " " << to_string(wanted) << "\n"
                                             << show(rules);
    ASSERT_EQ(rule, expected.rule) << path << " " << to_string(wanted) << "\n" << show(rules);
    // Pruned it gives the same verdict, by a rule that says so, if not always the first.
    const Verdict fast = pruned.decide(path, wanted);
    ASSERT_EQ(fast.allowed, expected.allowed) << path << " " << to_string(wanted) << "\n"
                                              << show(rules);
    ASSERT_EQ(fast.leads, expected.leads) << path << " " << to_string(wanted) << "\n"
                                          << show(rules);
    ASSERT_EQ(fast.rule == nullptr, expected.rule < 0);
    if (fast.rule != nullptr) {
      const reference::Rule& behind = rules[static_cast<std::size_t>(fast.rule->line)];
      const reference::Rule alone = expected.allowed
                                        ? reference::Rule{behind.path, behind.allow, kNone}
                                        : reference::Rule{behind.path, kNone, behind.deny};
      const auto one = static_cast<Permissions>(wanted & -wanted);
      ASSERT_EQ(reference::decide({alone}, path, expected.allowed ? one : wanted).rule, 0);
    }
    counts.allowed += expected.allowed ? 1 : 0;
    counts.leads += expected.leads ? 1 : 0;
    counts.denied_by_rule += !expected.allowed && expected.rule >= 0 ? 1 : 0;
  }
}

TEST(DecideRandom, FewRules) {
  reference::Random random(11);
  Counts counts;
  for (int round = 0; round < 20'000 && !HasFatalFailure(); ++round) {
    compare(random_rules(random, 6), random, 20, counts);
  }
  EXPECT_GT(counts.allowed, 10'000);
  EXPECT_GT(counts.leads, 10'000);
  EXPECT_GT(counts.denied_by_rule, 10'000);
}

TEST(DecideRandom, ManyRules) {
  reference::Random random(12);
  Counts counts;
  for (int round = 0; round < 300 && !HasFatalFailure(); ++round) {
    compare(random_rules(random, 60), random, 200, counts);
  }
  EXPECT_GT(counts.allowed, 1'000);
}

// What `cover` says of a pattern holds for every path the pattern matches.
TEST(DecideRandom, CoverHoldsForEveryPath) {
  reference::Random random(13);
  int covered = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::vector<reference::Rule> rules = random_rules(random, 6);
    const FileRules engine = compiled(rules);
    const std::string pattern = random.pattern();
    const Match cover = engine.paths().cover(*PathPattern::parse(pattern), kRead, kNoRule);
    if ((cover.allow & kRead) == 0 && (cover.deny & kRead) == 0) continue;
    for (int i = 0; i < 20; ++i) {
      const std::string path = random.path();
      if (!reference::decide({{pattern, kRead, kNone}}, path, kRead).allowed) continue;
      ++covered;
      const Match match = engine.paths().match(path, kRead);
      ASSERT_EQ(cover.allow & ~match.allow, 0) << pattern << " " << path << "\n" << show(rules);
      ASSERT_EQ(cover.deny & ~match.deny, 0) << pattern << " " << path << "\n" << show(rules);
    }
  }
  EXPECT_GT(covered, 1'000);
}

}  // namespace
}  // namespace torno::policy
