// The table of system calls: complete, without doubles, and what the program answers.
#include "broker/filter/groups.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "broker/filter/conditions.h"
#include "tests/broker/filter/simulate.h"
#include "tests/support/seed.h"

namespace torno::filter::test {
namespace {

constexpr int kNumbers = 512;

std::map<std::string, int> known_calls() {
  std::map<std::string, int> calls;
  for (int number = 0; number < kNumbers; ++number) {
    const std::unique_ptr<char, decltype(&std::free)> name(
        ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number), &std::free);
    if (name != nullptr) calls.emplace(name.get(), number);
  }
  return calls;
}

TEST(Groups, HoldEveryKnownCallOnce) {
  const auto known = known_calls();
  ASSERT_GT(known.size(), 350U);
  std::multiset<std::string> listed;
  for (const Group& group : groups()) {
    EXPECT_FALSE(group.title.empty());
    EXPECT_FALSE(group.reason.empty()) << group.title;
    listed.insert(group.calls.begin(), group.calls.end());
  }
  for (const auto& [name, number] : known) EXPECT_EQ(listed.count(name), 1U) << name;
  for (const auto& name : listed) EXPECT_TRUE(known.contains(name)) << name;
}

std::set<std::string> calls_with_conditions(const policy::Policy& policy, int abi) {
  const Conditions conditions = conditions_for(policy, abi);
  std::set<std::string> names;
  for (const auto* stage : {&conditions.marked, &conditions.refused, &conditions.native}) {
    for (const Rule& rule : *stage) names.insert(rule.call);
  }
  return names;
}

// With a rule for every family, so that every condition there can be is made.
constexpr const char* kConnects = R"(connect { address: "127.0.0.1" port: 80 }
                                     connect { address: "::1" port: 80 }
                                     connect { unix: "/run/fontd.sock" })";

// A call that no condition names is answered by its group, whatever its arguments are.
TEST(Groups, AnswerWhereNoConditionDoes) {
  const auto policy = load_policy(kConnects);
  ASSERT_NE(policy, nullptr);
  const auto program = compile_text(kConnects);
  const auto conditional = calls_with_conditions(*policy, kNewestAbi);
  std::mt19937_64 random(torno::test::seed(1));
  for (const Group& group : groups()) {
    for (const std::string_view call : group.calls) {
      const std::string name(call);
      if (conditional.contains(name)) continue;
      EXPECT_NE(group.kind, Kind::kByArguments) << name;
      for (int i = 0; i < 64; ++i) {
        const Arguments arguments = {random(), random() % 4, random(), random(), 0, random()};
        ASSERT_EQ(answer(program, name.c_str(), arguments), group.action) << name;
      }
    }
  }
}

TEST(Groups, OnlyMediatedOrAllowedCallsHaveConditions) {
  const auto policy = load_policy("limit { processes: 1 } executable_mappings: MAPPINGS_DENY");
  ASSERT_NE(policy, nullptr);
  for (const auto& name : calls_with_conditions(*policy, kNewestAbi)) {
    const Group* group = group_of(name);
    ASSERT_NE(group, nullptr) << name;
    EXPECT_NE(group->kind, Kind::kRefused) << name;
    EXPECT_NE(group->kind, Kind::kBrokered) << name;
  }
}

TEST(Groups, NothingBrokeredOrRefusedIsLetThrough) {
  const auto program = compile_text(kConnects);
  std::mt19937_64 random(torno::test::seed(2));
  for (const Group& group : groups()) {
    if (group.kind != Kind::kBrokered && group.kind != Kind::kRefused) continue;
    for (const std::string_view call : group.calls) {
      for (int i = 0; i < 64; ++i) {
        Arguments arguments{};
        for (auto& argument : arguments) argument = (random() % 3 == 0) ? 0 : random();
        EXPECT_NE(says(program, std::string(call).c_str(), arguments), "ALLOW") << call;
      }
    }
  }
}

}  // namespace
}  // namespace torno::filter::test
