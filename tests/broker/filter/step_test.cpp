// A step that was compiled with the project is what libseccomp says of the same rules.
#include "broker/filter/step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "broker/filter/conditions.h"
#include "broker/policy/find.h"
#include "broker/policy/loader.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

bool is_ready(std::span<const Rule> rules, std::uint32_t otherwise) {
  const std::string identity = identity_of(rules, otherwise);
  return std::ranges::binary_search(ready_steps(), std::string_view(identity), {},
                                    &ReadyStep::identity);
}

void expect_equal(const Instructions& a, const Instructions& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(sock_filter)), 0);
}

// Are they as libseccomp makes them now?
void expect_as_compiled(std::span<const Rule> rules, std::uint32_t otherwise) {
  const auto made = make_step(rules, otherwise);
  const auto compiled = compile_step(rules, otherwise);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(compiled) << compiled.error().message;
  expect_equal(*made, *compiled);
}

TEST(Step, ReadyOnesAreInOrderAndDifferent) {
  ASSERT_FALSE(ready_steps().empty());
  EXPECT_TRUE(std::ranges::is_sorted(ready_steps(), {}, &ReadyStep::identity));
  EXPECT_EQ(std::ranges::adjacent_find(ready_steps(), {}, &ReadyStep::identity),
            ready_steps().end());
}

TEST(Step, ThoseOfTheShippedPoliciesAreReadyAndAsLibseccompMakesThem) {
  policy::LoadOptions options;
  options.variables = policy::default_variables(0, 1, "/");
  constexpr std::uint32_t kElse = SCMP_ACT_TRACE(1);  // as chain.cpp has it
  for (const policy::BuiltIn& shipped : policy::built_in_policies()) {
    SCOPED_TRACE(shipped.name);
    const auto loaded = policy::load(std::string(shipped.name), options);
    ASSERT_NE(loaded.policy, nullptr);
    for (const int abi : {0, kNewestAbi}) {
      for (const Transport transport : {Transport::kTrap, Transport::kNotify}) {
        const Conditions conditions = conditions_for(*loaded.policy, abi, transport);
        for (const auto* stage : {&conditions.marked, &conditions.refused, &conditions.native}) {
          EXPECT_TRUE(stage->empty() || is_ready(*stage, kElse));
          expect_as_compiled(*stage, kElse);
        }
      }
    }
  }
}

TEST(Step, AnotherRuleIsCompiled) {
  const Rule rule{"getpid", SCMP_ACT_ERRNO(EXDEV), {low(0, 12345)}};
  ASSERT_FALSE(is_ready({&rule, 1}, SCMP_ACT_ALLOW));
  expect_as_compiled({&rule, 1}, SCMP_ACT_ALLOW);
}

// Every part of a rule is part of its identity: a step never passes for another one.
TEST(Step, IdentityTellsRulesApart) {
  const Rule rule{"getpid", SCMP_ACT_ERRNO(1), {low(0, 1)}};
  const std::string identity = identity_of({&rule, 1}, SCMP_ACT_ALLOW);
  EXPECT_EQ(identity_of({&rule, 1}, SCMP_ACT_ALLOW), identity);
  EXPECT_NE(identity_of({&rule, 1}, SCMP_ACT_KILL_PROCESS), identity);
  const std::array<Rule, 7> others = {{{"getppid", SCMP_ACT_ERRNO(1), {low(0, 1)}},
                                       {"getpid", SCMP_ACT_ERRNO(2), {low(0, 1)}},
                                       {"getpid", SCMP_ACT_ERRNO(1), {}},
                                       {"getpid", SCMP_ACT_ERRNO(1), {low(1, 1)}},
                                       {"getpid", SCMP_ACT_ERRNO(1), {low(0, 2)}},
                                       {"getpid", SCMP_ACT_ERRNO(1), {bits(0, 1, 1)}},
                                       {"getpid", SCMP_ACT_ERRNO(1), {whole(0, 1)}}}};
  for (const Rule& other : others) {
    EXPECT_NE(identity_of({&other, 1}, SCMP_ACT_ALLOW), identity);
  }
}

}  // namespace
}  // namespace torno::filter::test
