// torno check: messages with their places, and the exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

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

TEST_F(Check, WrongSystemCallRulesAreErrorsWithTheirPlaces) {
  const std::string file =
      directory_.write("call.policy",
                       "file { path: \"/usr/share/**\" allow: READ }\n"
                       "syscall { name: \"wriet\" action: KILL }\n"
                       "syscall { name: \"openat\" action: ALLOW }\n"
                       "syscall { name: \"openat\" action: TRAP }\n"
                       "syscall { name: \"read\" action: KILL arg { index: 1 op: LT value: 0 } }\n"
                       "syscall { name: \"rt_sigreturn\" action: KILL }\n"
                       "syscall { name: \"mkdir\" action: ALLOW }\n");
  const Said said = run_torno({"check", file});
  EXPECT_EQ(said.status, 1);
  const std::string head = "torno: " + file;
  EXPECT_THAT(said.err, MatchesRegex(head + ":2:11: error: unknown system call \"wriet\"[^\n]*\n" +
                                     head + ":3:26: error: ALLOW of openat [^\n]*\n" +  //
                                     head + ":4:26: error: TRAP of openat [^\n]*\n" + head +
                                     ":5:37: error: arg [^\n]* can never match[^\n]*\n" + head +
                                     ":6:32: error: KILL of rt_sigreturn [^\n]*\n" + head +
                                     ":7:25: error: ALLOW of mkdir [^\n]*\n"));
}

TEST_F(Check, ASystemCallRuleThatAnotherAnswersIsAnError) {
  const std::string file =
      directory_.write("call.policy",
                       "syscall { name: \"read\" action: ERRNO errno: \"EPERM\" }\n"
                       "syscall { name: \"read\" action: ALLOW }\n"
                       "syscall { name: \"write\" action: LOG }\n"
                       "syscall { name: \"write\" action: LOG }\n");
  const Said said = run_torno({"check", file});
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.err, "torno: " + file + ":2:1: error: the rule can never match: ERRNO at " + file +
                          ":1 answers all of it first; remove one of the two\n" +  //
                          "torno: " + file + ":4:1: warning: superfluous: " + file +
                          ":3 says the same; remove the rule\n");
}

TEST_F(Check, EveryErrorOfAFileIsShown) {
  const std::string names = directory_.write(
      "names.policy",
      "fiel { path: \"/a\" }\nfile { path: \"/a\" allow: REED }\nbroker_gone: GONE\n");
  const Said unknown = run_torno({"check", names});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, MatchesRegex("[^\n]*:1:1: error: [^\n]*\n[^\n]*:2:26: error: [^\n]*\n"
                                        "[^\n]*:3:14: error: [^\n]*\n"));
  const std::string rules =
      directory_.write("rules.policy",
                       "file { path: \"a\" allow: READ }\nfile { path: \"/d/**\" deny: READ }\n"
                       "file { path: \"/d/x\" allow: READ }\nconnect { port: 0 }\n");
  const Said wrong = run_torno({"check", rules});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, MatchesRegex("[^\n]*:1:8: error: [^\n]*\n[^\n]*:3:1: error: [^\n]*\n"
                                      "[^\n]*:4:11: error: [^\n]*\n"));
}

TEST_F(Check, AFifoIsNoPolicy) {
  const std::string fifo = directory_.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Said said = run_torno({"check", fifo});
  EXPECT_EQ(said.status, 2);
  EXPECT_THAT(said.err, HasSubstr("is no regular file"));
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
