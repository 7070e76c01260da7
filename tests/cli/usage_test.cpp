// The command line as a newcomer meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// One line on standard error, nothing on standard output, status 2.
void expect_usage_error(const std::vector<std::string>& arguments, const std::string& text) {
  const Said said = run_torno(arguments);
  EXPECT_EQ(said.status, 2);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, StartsWith("torno: error: "));
  EXPECT_THAT(said.err, HasSubstr(text));
  EXPECT_EQ(std::ranges::count(said.err, '\n'), 1) << said.err;
}

TEST(Usage, HelpNamesEveryCommandAndGivesExamples) {
  const Said said = run_torno({"--help"});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.err, "");
  for (const char* text : {"run", "check", "why", "syscall", "status", "--version", "Examples:"}) {
    EXPECT_THAT(said.out, HasSubstr(text));
  }
}

TEST(Usage, EveryCommandHasHelpWithExamplesAndExitStatus) {
  for (const char* command : {"run", "check", "why", "syscall", "status"}) {
    const Said said = run_torno({command, "--help"});
    EXPECT_EQ(said.status, 0) << command;
    EXPECT_THAT(said.out, HasSubstr("Examples:"));
    EXPECT_THAT(said.out, HasSubstr("Exit status:"));
    EXPECT_THAT(said.out, HasSubstr(std::string("torno ") + command));
  }
}

TEST(Usage, VersionNamesTheProjectsAndTheWires) {
  const Said said = run_torno({"--version"});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, "torno " TORNO_VERSION " (wire 2)\n");
}

TEST(Usage, MistakesAreOneLineThatSaysWhereToLook) {
  expect_usage_error({}, "torno --help");
  expect_usage_error({"frobnicate"}, "no command 'frobnicate'");
  expect_usage_error({"--frobnicate"}, "no option '--frobnicate'");
  expect_usage_error({"check"}, "torno check --help");
  expect_usage_error({"check", "--frobnicate", "x.policy"}, "torno check --help");
  expect_usage_error({"why", "READ", "/etc/shadow"}, "--policy");
  expect_usage_error({"why", "--policy", "base", "READ"}, "torno why --help");
  expect_usage_error({"status"}, "torno status --help");
  expect_usage_error({"syscall"}, "torno syscall --help");
}

TEST(Usage, WhatIsPrintedBackCannotDriveATerminal) {
  expect_usage_error({"\x1b[31m\n"}, "\\x1b[31m\\x0a");
}

TEST(Usage, AnAnswerThatCannotBeWrittenIsAnError) {
  const Said said = run_torno_into("/dev/full", {"syscall", "openat"});
  EXPECT_EQ(said.status, 2);
  EXPECT_THAT(said.err, HasSubstr("cannot write"));
}

}  // namespace
}  // namespace torno::cli
