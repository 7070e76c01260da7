// The command line as a newcomer meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// One line on standard error, nothing on standard output, status 2.
void expect_usage_error(const std::vector<std::string>& arguments, const std::string& text) {
  const Run run = run_torno(arguments);
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, StartsWith("torno: error: "));
  EXPECT_THAT(run.err, HasSubstr(text));
  EXPECT_EQ(std::ranges::count(run.err, '\n'), 1) << run.err;
}

TEST(Usage, HelpNamesEveryCommandAndGivesExamples) {
  const Run run = run_torno({"--help"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.err, "");
  for (const char* text : {"check", "why", "syscall", "status", "--version", "Examples:"}) {
    EXPECT_THAT(run.out, HasSubstr(text));
  }
  EXPECT_THAT(run.out, Not(HasSubstr("torno run")));
}

TEST(Usage, EveryCommandHasHelpWithExamplesAndExitStatus) {
  for (const char* command : {"check", "why", "syscall", "status"}) {
    const Run run = run_torno({command, "--help"});
    EXPECT_EQ(run.status, 0) << command;
    EXPECT_THAT(run.out, HasSubstr("Examples:"));
    EXPECT_THAT(run.out, HasSubstr("Exit status:"));
    EXPECT_THAT(run.out, HasSubstr(std::string("torno ") + command));
  }
}

TEST(Usage, VersionNamesTheProjectsAndTheWires) {
  const Run run = run_torno({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.out, "torno " TORNO_VERSION " (wire 1)\n");
}

TEST(Usage, MistakesAreOneLineThatSaysWhereToLook) {
  expect_usage_error({}, "torno --help");
  expect_usage_error({"frobnicate"}, "no command 'frobnicate'");
  expect_usage_error({"run", "--", "true"}, "no command 'run'");
  expect_usage_error({"--frobnicate"}, "no option '--frobnicate'");
  expect_usage_error({"check"}, "torno check --help");
  expect_usage_error({"check", "--frobnicate", "x.policy"}, "torno check --help");
  expect_usage_error({"why", "READ", "/etc/shadow"}, "--policy");
  expect_usage_error({"why", "--policy", "base", "READ"}, "torno why --help");
  expect_usage_error({"status"}, "torno status --help");
  expect_usage_error({"syscall"}, "torno syscall --help");
}

TEST(Usage, WhatIsPrintedBackCannotDriveATerminal) {
  expect_usage_error({"\x1b[31m\n"}, "\\x1B[31m\\x0A");
}

TEST(Usage, AnAnswerThatCannotBeWrittenIsAnError) {
  const Run run = run_torno_into("/dev/full", {"syscall", "openat"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("cannot write"));
}

}  // namespace
}  // namespace torno::cli
