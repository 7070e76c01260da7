// torno run: how it ends, and what it says when it cannot begin.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// One line on standard error that holds `text`, nothing on standard output.
void expect_failure(const std::vector<std::string>& words, int status, const std::string& text) {
  const Said said = run(words);
  EXPECT_EQ(said.status, status) << said.err;
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, StartsWith("torno: "));
  EXPECT_THAT(said.err, HasSubstr("error: "));
  EXPECT_THAT(said.err, HasSubstr(text));
  EXPECT_EQ(std::ranges::count(said.err, '\n'), 1) << said.err;
}

TEST(Run, HelpTellsAllThereIsToKnow) {
  const Said said = run({"--help"});
  EXPECT_EQ(said.status, 0);
  for (const char* text : {"--policy", "--profile", "--read", "--write", "--set", "--env",
                           "--verbose", "--mode", "--log-format", "Examples:", "Exit status:"}) {
    EXPECT_THAT(said.out, HasSubstr(text));
  }
}

TEST(Run, ExitsAsTheProgramDoes) {
  for (const int status : {0, 1, 2, 77, 125, 255}) {
    const Said said = run({"--", "/bin/sh", "-c", "exit " + std::to_string(status)});
    EXPECT_EQ(said.status, status);
    EXPECT_EQ(said.out + said.err, "");
  }
}

TEST(Run, TellsWhichSignalEndedTheProgram) {
  const auto killed_by = [](const std::string& name) {
    return run({"--", "/bin/sh", "-c", "kill -" + name + " $$"});
  };
  const Said killed = killed_by("KILL");
  EXPECT_EQ(killed.status, 128 + 9);
  EXPECT_EQ(killed.err, "torno: error: ended by SIGKILL (killed)\n");
  EXPECT_EQ(killed_by("SEGV").status, 128 + 11);
  EXPECT_EQ(killed_by("PIPE").status, 128 + 13);
  EXPECT_EQ(killed_by("USR1").err, "torno: error: ended by SIGUSR1 (user defined signal 1)\n");
}

TEST(Run, FailsWith125WhenItCannotBegin) {
  const TemporaryDirectory directory;
  const std::string wrong = directory.write("wrong.policy", "fil { path: \"/x\" allow: READ }");
  const std::string missing = directory.path("missing");
  expect_failure({}, 125, "say what to run");
  expect_failure({"--"}, 125, "say what to run");
  expect_failure({"--frobnicate", "--", "true"}, 125, "--frobnicate");
  expect_failure({"--frobnicate", "true"}, 125, "--frobnicate");
  expect_failure({"--policy"}, 125, "--policy");
  expect_failure({"--policy", wrong, "--", "true"}, 125, ":1:1: error: unknown field 'fil'");
  expect_failure({"--policy", missing + ".policy", "--", "true"}, 125, "No such file");
  expect_failure({"--policy", "missing-name", "--", "true"}, 125, "no policy 'missing-name'");
  expect_failure({"--policy", "base", "--policy", wrong, "--", "true"}, 125, "unknown field");
  expect_failure({"--profile", "NO_SUCH", "--", "true"}, 125, "NO_SUCH");
  expect_failure({"--read", missing, "--", "true"}, 125, "--read " + missing);
  expect_failure({"--read", "", "--", "true"}, 125, "--read");
  expect_failure({"--write", missing + "/deeper/file", "--", "true"}, 125, "--write " + missing);
  expect_failure({"--write", missing + "/", "--", "true"}, 125, "--write " + missing);
  expect_failure({"--set", "noname", "--", "true"}, 125, "--set noname");
  expect_failure({"--env", "TORNO_FD=3", "--", "true"}, 125, "TORNO_FD");
  expect_failure({"--env", "1X=3", "--", "true"}, 125, "--env");
  expect_failure({"--log-format", "xml", "--", "true"}, 125, "--log-format");
}

TEST(Run, FailsWith126ForWhatCannotBeExecuted) {
  const TemporaryDirectory directory;
  const std::string data = directory.write("data", "no program\n");
  expect_failure({"--", data}, 126, data);
  expect_failure({"--", directory.path()}, 126, directory.path());
  ::chmod(data.c_str(), 0755);
  expect_failure({"--", data}, 126, "format");

  const std::string script = directory.write("script", "#!/missing/interpreter\n");
  ::chmod(script.c_str(), 0755);
  expect_failure({"--", script}, 126, "/missing/interpreter");

  const std::string set_id = directory.write("set-id", "#!/bin/sh\necho it ran\n");
  ::chmod(set_id.c_str(), 0755);
  EXPECT_EQ(run({"--read", set_id, "--", set_id}).out, "it ran\n");
  ::chmod(set_id.c_str(), 04755);
  expect_failure({"--read", set_id, "--", set_id}, 126, "set-user-ID");
}

TEST(Run, FailsWith127ForWhatIsNotThere) {
  const TemporaryDirectory directory;
  expect_failure({"--", "no-such-program-anywhere"}, 127, "no-such-program-anywhere");
  expect_failure({"--", directory.path("missing")}, 127, directory.path("missing"));
  expect_failure({"--", "./missing"}, 127, "./missing");
  const Variable path("PATH", directory.path());
  expect_failure({"--", "sh"}, 127, "sh");
}

TEST(Run, WhatItPrintsBackCannotDriveATerminal) {
  expect_failure({"--", "\x1b[31m\n"}, 127, "\\x1b[31m\\x0a");
  expect_failure({"--read", "\x1b[31m\n", "--", "true"}, 125, "\\x1b[31m\\x0a");
  expect_failure({"--\x1b[31m", "true"}, 125, "\\x1b[31m");
}

TEST(Run, WordsBehindTheDashesAreTheProgramsAlone) {
  const Said said = run({"--", "/usr/bin/printf", "<%s>", "--read", "--", "", "-x y", "--verbose",
                         "$HOME *", "\xff\n"});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(said.out, "<--read><--><><-x y><--verbose><$HOME *><\xff\n>");
  EXPECT_EQ(said.err, "");
}

TEST(Run, WithoutDashesTheFirstWordThatIsNoOptionBeginsTheProgram) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const Said said = run({"--read", file, "cat", "-n", "--", file});
  EXPECT_EQ(said.out, "     1\tsome words\n") << said.err;
  EXPECT_EQ(run({"/usr/bin/printf", "<%s>", "--read", "x"}).out, "<--read><x>");
  EXPECT_EQ(run({"/usr/bin/printf", "<%s>", "--policy=x", "--", "y"}).out, "<--policy=x><--><y>");
}

}  // namespace
}  // namespace torno::cli
