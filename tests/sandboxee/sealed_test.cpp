// Every scenario that needs no special circumstances, under a real tornod.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "broker/filter/landlock.h"
#include "tests/sandboxee/sealed_process.h"
#include "tests/support/tornod_process.h"

namespace torno::test {
namespace {

class Sealed : public testing::TestWithParam<std::string> {
 protected:
  Playground playground_;
  TornodProcess tornod_{
      {{"test", playground_.policy_text()},
       {"narrower", playground_.narrower_policy_text()},
       {"few", playground_.policy_text() + "limit { open_files: 64 }\n"},
       {"still", playground_.policy_text() + "executable_mappings: MAPPINGS_DENY\n"}}};

  Outcome run(const std::string& scenario) {
    return run_scenario(scenario, playground_.place(),
                        {{"TORNO_BROKER=" + tornod_.socket_path()}, -1});
  }
};

std::vector<std::string> scenarios_by_themselves() {
  std::vector<std::string> names;
  for (const Scenario* scenario = Scenarios::begin(); scenario != Scenarios::end(); ++scenario) {
    if (scenario->kind != Kind::kSpecial) names.emplace_back(scenario->name);
  }
  return names;
}

// Only Landlock keeps signals inside the sandbox, from its ABI 6 on; without it none is sent.
bool lacks_signals(const Outcome& outcome) {
  return outcome.exit_status == kNoSignals && filter::landlock_abi() < 6;
}
constexpr const char* kLacksSignals =
    "a sealed program may send itself no signal before Landlock ABI 6 (Linux 6.12)";

TEST_P(Sealed, Scenario) {
  const Outcome outcome = run(GetParam());
  if (lacks_signals(outcome)) GTEST_SKIP() << kLacksSignals;
  EXPECT_PASSES(outcome);
  if (HasFailure()) GTEST_LOG_(INFO) << tornod_.log();
}

INSTANTIATE_TEST_SUITE_P(All, Sealed, testing::ValuesIn(scenarios_by_themselves()),
                         [](const auto& scenario) { return scenario.param; });

using SealedOnce = Sealed;

TEST_F(SealedOnce, ForeignSigsysEndsTheProcess) {
  const Outcome outcome = run("a_foreign_sigsys_ends_the_process");
  if (lacks_signals(outcome)) GTEST_SKIP() << kLacksSignals;
  EXPECT_EQ(outcome.signal, SIGSYS) << outcome.errors;
}

}  // namespace
}  // namespace torno::test
