// torno check: messages with their places, and the exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class Check : public testing::Test {
 protected:
  TemporaryDirectory directory_;
};

TEST_F(Check, ARightPolicyIsSilent) {
  const std::string file =
      directory_.write("right.policy", "file { path: \"/usr/share/**\" allow: READ }\n");
  const Said said = run_torno({"check", file});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err, "");
}

TEST_F(Check, ATypoIsAnErrorWithLineAndColumn) {
  const std::string file =
      directory_.write("typo.policy", "# a comment\nfile { path: \"/usr/share/**\" alow: READ }\n");
  const Said said = run_torno({"check", file});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, MatchesRegex("torno: " + file + ":2:[0-9]+: error: .*alow.*\n"));
}

TEST_F(Check, AnUnknownPermissionIsAnErrorWithLineAndColumn) {
  const std::string file = directory_.write("value.policy", "file { path: \"/x\" allow: REED }\n");
  const Said said = run_torno({"check", file});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, MatchesRegex("torno: " + file + ":1:[0-9]+: error: .*REED.*\n"));
}

TEST_F(Check, ARuleForTheBrokersOwnIsAnError) {
  const std::string file = directory_.write(
      "own.policy", "file { path: \"" + directory_.path("policies/**") + "\" allow: READ }\n");
  EXPECT_EQ(run_torno({"check", file}).status, 0);
  const Variable policies("TORNO_POLICY_PATH", directory_.path("policies"));
  for (const bool exists : {false, true}) {
    if (exists) std::filesystem::create_directory(directory_.path("policies"));
    const Said said = run_torno({"check", file});
    EXPECT_EQ(said.status, 1);
    EXPECT_THAT(said.err,
                MatchesRegex("torno: " + file + ":1:8: error: .* reaches the broker's own .*\n"));
  }
}

TEST_F(Check, AWrongSystemCallRuleIsAnErrorWithItsPlace) {
  const std::string file = directory_.write(
      "call.policy",
      "file { path: \"/usr/share/**\" allow: READ }\nsyscall { name: \"wriet\" action: KILL }\n");
  const Said said = run_torno({"check", file});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, HasSubstr("torno: "));
  EXPECT_THAT(said.err, HasSubstr(file + ":2:"));
  EXPECT_THAT(said.err, HasSubstr("wriet"));
  EXPECT_EQ(std::ranges::count(said.err, '\n'), 1) << said.err;
}

TEST_F(Check, AFailingExpectationIsAnErrorWithItsPlace) {
  const std::string file = directory_.write("expect.policy",
                                            "file { path: \"/usr/share/**\" allow: READ }\n"
                                            "expect { deny: READ path: \"/usr/share/dict\" }\n");
  const Said said = run_torno({"check", file});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, HasSubstr(file + ":2:"));
}

TEST_F(Check, AMissingFileCannotBeRead) {
  const Said said = run_torno({"check", directory_.path("none.policy")});
  EXPECT_EQ(said.status, 2);
  EXPECT_THAT(said.err, HasSubstr("torno: "));
  EXPECT_THAT(said.err, HasSubstr("error: "));
  EXPECT_EQ(std::ranges::count(said.err, '\n'), 1) << said.err;
}

TEST_F(Check, EveryFileIsCheckedAndTheWorstCounts) {
  const std::string right = directory_.write("a.policy", "file { path: \"/x\" allow: READ }\n");
  const std::string wrong = directory_.write("b.policy", "fiel {}\n");
  const std::string other = directory_.write("c.policy", "flie {}\n");
  const Said errors = run_torno({"check", wrong, right, other});
  EXPECT_EQ(errors.status, 1);
  EXPECT_THAT(errors.err, HasSubstr(wrong + ":1:"));
  EXPECT_THAT(errors.err, HasSubstr(other + ":1:"));
  EXPECT_EQ(run_torno({"check", directory_.path("none.policy"), wrong}).status, 2);
}

TEST_F(Check, SetGivesVariablesTheirValues) {
  const std::string file =
      directory_.write("set.policy", "file { path: \"${OUT}/**\" allow: WRITE }\n");
  EXPECT_EQ(run_torno({"check", "--set", "OUT=/srv/out", file}).status, 0);
  const Said unset = run_torno({"check", file});
  EXPECT_EQ(unset.status, 1);
  EXPECT_THAT(unset.err, HasSubstr("OUT"));
  EXPECT_EQ(run_torno({"check", "--set", "out", file}).status, 2);
}

TEST_F(Check, AFileNeedsNoPolicyInItsName) {
  const std::string file = directory_.write("plain", "file { path: \"/x\" allow: READ }\n");
  EXPECT_EQ(run_torno({"check", file}).status, 0);
}

TEST_F(Check, TheShippedPoliciesAreKnownByName) {
  const Said said = run_torno({"check", "base", "NO_NETWORK"});
  EXPECT_EQ(said.status, 0) << said.err;
}

}  // namespace
}  // namespace torno::cli
