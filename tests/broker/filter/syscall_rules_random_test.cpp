// Random syscall rules: the compiled program against a direct evaluation of the rules.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "broker/filter/compiler.h"
#include "broker/filter/killed_calls.h"
#include "broker/filter/rule.h"
#include "tests/broker/filter/simulate.h"
#include "tests/support/seed.h"

namespace torno::filter::test {
namespace {

constexpr int kPolicies = 120;
constexpr int kCallsPerPolicy = 400;

// All allowed without conditions, so that ALLOW and LOG rules are accepted.
constexpr std::array<const char*, 3> kCalls = {"getuid", "pread64", "mremap"};

class Dice {
 public:
  explicit Dice(unsigned own_seed) : engine_(torno::test::seed(own_seed)) {}

  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

  // Small numbers, powers of two and their neighbours, rarely anything else.
  std::uint64_t value() {
    if (below(8) == 0) return engine_();
    static constexpr std::array<unsigned, 5> kShifts = {0, 16, 31, 32, 63};
    const std::uint64_t high = below(3) == 0 ? below(3) << 32 : 0;
    return high + (std::uint64_t{1} << kShifts[below(kShifts.size())]) + below(3) - 1;
  }

 private:
  std::mt19937_64 engine_;
};

policy::Argument random_argument(Dice& dice) {
  policy::Argument argument;
  argument.set_index(static_cast<std::uint32_t>(dice.below(6)));
  argument.set_op(static_cast<policy::Operator>(1 + dice.below(7)));
  argument.set_value(dice.value());
  if (argument.op() == policy::MASKED_EQ) {
    argument.set_mask(dice.value() | 1);
    argument.set_value(argument.value() & argument.mask());
  }
  return argument;
}

policy::SyscallRule random_rule(Dice& dice) {
  policy::SyscallRule rule;
  rule.set_name(kCalls[dice.below(kCalls.size())]);
  rule.set_action(static_cast<policy::Action>(1 + dice.below(5)));
  if (rule.action() == policy::ERRNO) rule.set_errno(dice.below(2) == 0 ? "EPERM" : "EIO");
  for (std::uint64_t i = dice.below(4); i > 0; --i) *rule.add_arg() = random_argument(dice);
  return rule;
}

bool holds(const policy::Argument& argument, const Arguments& arguments) {
  const std::uint64_t is = arguments[argument.index()];
  const std::uint64_t value = argument.value();
  switch (argument.op()) {
    case policy::EQ:
      return is == value;
    case policy::NE:
      return is != value;
    case policy::LT:
      return is < value;
    case policy::LE:
      return is <= value;
    case policy::GT:
      return is > value;
    case policy::GE:
      return is >= value;
    default:
      return (is & argument.mask()) == value;
  }
}

std::string name_of(const policy::SyscallRule& rule) {
  return rule.action() == policy::ERRNO ? rule.errno_name() : policy::Action_Name(rule.action());
}

std::string expected(const std::vector<policy::SyscallRule>& rules, const std::string& call,
                     const Arguments& arguments) {
  for (const auto action :
       {policy::KILL, policy::TRAP, policy::ERRNO, policy::LOG, policy::ALLOW}) {
    for (const auto& rule : rules) {
      if (rule.action() == action && rule.name() == call &&
          std::ranges::all_of(rule.arg(),
                              [&](const auto& argument) { return holds(argument, arguments); })) {
        return name_of(rule);
      }
    }
  }
  return "ALLOW";
}

// Near the values that the rules compare with.
Arguments random_arguments(Dice& dice, const std::vector<policy::SyscallRule>& rules) {
  Arguments arguments;
  for (auto& argument : arguments) argument = dice.value();
  for (const auto& rule : rules) {
    for (const auto& argument : rule.arg()) {
      if (dice.below(2) == 0) arguments[argument.index()] = argument.value() + dice.below(3) - 1;
    }
  }
  return arguments;
}

TEST(RandomSyscallRules, CompileToWhatTheySay) {
  int compiled = 0;
  for (unsigned seed = 0; seed < kPolicies; ++seed) {
    Dice dice(seed);
    std::vector<policy::SyscallRule> rules;
    std::string text;
    for (std::uint64_t i = 1 + dice.below(8); i > 0; --i) {
      rules.push_back(random_rule(dice));
      text += "syscall { " + rules.back().ShortDebugString() + " }\n";
    }
    const auto policy = load_policy(text);
    ASSERT_NE(policy, nullptr);
    const auto program = compile_for(*policy, kNewestAbi);
    if (!program) {
      ASSERT_NE(program.error().message.find("never match"), std::string::npos)
          << program.error().message;
      continue;
    }
    const auto notify = compile_for(*policy, kNewestAbi, Transport::kNotify);
    ASSERT_TRUE(notify) << notify.error().message;
    ++compiled;
    const KilledCalls killed(*policy);
    for (int i = 0; i < kCallsPerPolicy; ++i) {
      const char* call = kCalls[dice.below(kCalls.size())];
      const Arguments arguments = random_arguments(dice, rules);
      ASSERT_EQ(says(*program, call, arguments), expected(rules, call, arguments))
          << call << " under\n"
          << text;
      const int number = call_number(call);
      expect_as_trapped(*program, *notify, number, arguments);
      ASSERT_EQ(killed.contains(number, arguments),
                says(*program, call, arguments) == std::string("KILL"))
          << call << " under\n"
          << text;
    }
  }
  EXPECT_GT(compiled, kPolicies / 2);
}

}  // namespace
}  // namespace torno::filter::test
