// torno run: which files its options and policies open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;

std::string contents(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Prints the file, or fails.
Said cat(std::vector<std::string> options, const std::string& file) {
  options.insert(options.end(), {"--", "/bin/cat", file});
  return run(options);
}

Said write(std::vector<std::string> options, const std::string& file) {
  options.insert(options.end(), {"--", "/bin/sh", "-c", "echo written > \"$0\"", file});
  return run(options);
}

TEST(RunPolicy, WithoutOneNothingOfTheUsersIsOpen) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const Said said = cat({}, file);
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err, "/bin/cat: " + file + ": Permission denied\n");
  EXPECT_NE(write({}, directory.path("made")).status, 0);
  EXPECT_EQ(contents(directory.path("made")), "");
}

TEST(RunPolicy, ReadOpensAFileAndNoOther) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const std::string other = directory.write("other", "other words\n");
  EXPECT_EQ(cat({"--read", file}, file).out, "some words\n");
  EXPECT_EQ(cat({"--read", file}, other).out, "");
  EXPECT_EQ(cat({"--read", file, "--read", other}, other).out, "other words\n");
  EXPECT_NE(write({"--read", file}, file).status, 0);
  EXPECT_EQ(contents(file), "some words\n");
}

TEST(RunPolicy, ReadOpensAFolderWithAllBeneath) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkdir(directory.path("folder").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(directory.path("folder/deeper").c_str(), 0755), 0);
  const std::string file = directory.write("folder/deeper/file", "some words\n");
  const std::string other = directory.write("folder-too", "other words\n");
  const std::vector<std::string> options = {"--read", directory.path("folder")};
  EXPECT_EQ(cat(options, file).out, "some words\n");
  EXPECT_EQ(cat(options, other).out, "");
  EXPECT_EQ(cat({"--read", directory.path("folder") + "/"}, file).out, "some words\n");
  EXPECT_EQ(cat({"--read", "/"}, file).out, "some words\n");
}

TEST(RunPolicy, ReadMeansWhereALinkLeads) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const std::string link = directory.path("link");
  ASSERT_EQ(::symlink(file.c_str(), link.c_str()), 0);
  EXPECT_EQ(cat({"--read", link}, file).out, "some words\n");
  EXPECT_EQ(cat({"--read", file}, file).out, "some words\n");
}

TEST(RunPolicy, WriteMakesAFileThatIsNotThereYet) {
  const TemporaryDirectory directory;
  const std::string made = directory.path("made");
  EXPECT_EQ(write({"--write", made}, made).status, 0);
  EXPECT_EQ(contents(made), "written\n");
  EXPECT_EQ(cat({"--write", made}, made).out, "written\n");
  const std::string other = directory.path("other");
  EXPECT_NE(write({"--write", made}, other).status, 0);
  EXPECT_NE(::access(other.c_str(), F_OK), 0);
  EXPECT_EQ(write({"--write", directory.path()}, other).status, 0);
  EXPECT_EQ(contents(other), "written\n");
}

TEST(RunPolicy, ReadAndWriteStartAtTheCurrentFolder) {
  const TemporaryDirectory directory;
  directory.write("file", "some words\n");
  const auto in_folder = [&directory] {
    if (::chdir(directory.path().c_str()) != 0) ::_exit(98);
  };
  EXPECT_EQ(run({"--read", "file", "--", "cat", "file"}, in_folder).out, "some words\n");
  EXPECT_EQ(run({"--read", ".", "--", "cat", "file"}, in_folder).out, "some words\n");
  EXPECT_EQ(run({"--write", "made", "--", "sh", "-c", "echo x > made"}, in_folder).status, 0);
  EXPECT_EQ(contents(directory.path("made")), "x\n");
}

// A rule's text has wildcards, variables and escapes; a file's name may hold their characters.
TEST(RunPolicy, NamesAreTakenAsTheyAre) {
  const TemporaryDirectory directory;
  for (const std::string name : {"two words",
                                 "it's",
                                 "\"quoted\"",
                                 "star*",
                                 "wh?t",
                                 "**",
                                 "$HOME",
                                 "${HOME}",
                                 "back\\slash",
                                 "new\nline",
                                 "latin-1 \xe9\xff",
                                 "caf\xc3\xa9",
                                 "[a-z]",
                                 "{a,b}",
                                 "#",
                                 "-x",
                                 "tab\t",
                                 "a\\*",
                                 "~",
                                 "%s",
                                 "'",
                                 "\x01\x7f"}) {
    SCOPED_TRACE(name);
    const std::string file = directory.write(name, "some words\n");
    EXPECT_EQ(cat({"--read", file}, file).out, "some words\n");
    const std::string made = directory.path(name + "-made");
    EXPECT_EQ(write({"--write", made}, made).err, "");
    EXPECT_EQ(contents(made), "written\n");
  }
  // What a wildcard would match stays closed.
  const std::string star = directory.path("star*");
  const std::string match = directory.write("starling", "other words\n");
  EXPECT_EQ(cat({"--read", star}, match).out, "");
  EXPECT_EQ(cat({"--read", directory.path("wh?t")}, directory.write("what", "x")).out, "");
}

TEST(RunPolicy, PolicyIsAFileOrAName) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const std::string rules = "include: \"base\" file { path: \"" + file + "\" allow: READ }";
  const std::string policy = directory.write("own.policy", rules);
  EXPECT_EQ(cat({"--policy", policy}, file).out, "some words\n");
  const auto in_folder = [&directory] {
    if (::chdir(directory.path().c_str()) != 0) ::_exit(98);
  };
  EXPECT_EQ(run({"--policy", "own.policy", "--", "cat", file}, in_folder).out, "some words\n");
  // A name is one of a policy, whatever lies in the working directory: the program that ran last
  // may have put it there.
  directory.write("own", rules);
  EXPECT_EQ(run({"--policy", "own", "--", "cat", file}, in_folder).status, 125);
  directory.write("base", rules);
  EXPECT_EQ(run({"--", "cat", file}, in_folder).out, "");
  EXPECT_EQ(run({"--policy", "./base", "--", "cat", file}, in_folder).out, "some words\n");
  const TemporaryDirectory policies;  // of which nobody inside sees anything
  policies.write("by-name.policy", rules);
  const Variable path("TORNO_POLICY_PATH", policies.path());
  EXPECT_EQ(cat({"--policy", "by-name"}, file).out, "some words\n");
}

TEST(RunPolicy, WhatDeniesTheProgramItselfHolds) {
  const TemporaryDirectory directory;
  const std::string policy = directory.write(
      "own.policy", "include: \"base\"\nfile { path: \"/usr/bin/true\" deny: EXECUTE }\n");
  const Said said = run({"--policy", policy, "--", "/usr/bin/true"});
  EXPECT_EQ(said.status, 125);
  EXPECT_THAT(said.err, HasSubstr("own.policy:2:"));
  EXPECT_THAT(said.err, HasSubstr("denies EXECUTE of /usr/bin/true"));
  EXPECT_EQ(run({"--policy", policy, "--", "/usr/bin/false"}).status, 1);  // positive control
}

TEST(RunPolicy, OfSeveralPoliciesTheRulesOfAllCount) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const std::string policy =
      directory.write("own.policy", "file { path: \"" + file + "\" allow: READ }");
  EXPECT_EQ(cat({"--policy", "base", "--policy", policy}, file).out, "some words\n");
  EXPECT_EQ(cat({"--policy", policy, "--policy", "base"}, file).out, "some words\n");
  const auto in_folder = [&directory] {
    if (::chdir(directory.path().c_str()) != 0) ::_exit(98);
  };
  EXPECT_EQ(run({"--policy", "base", "--policy", "own.policy", "--", "cat", file}, in_folder).out,
            "some words\n");
}

TEST(RunPolicy, Profiles) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  EXPECT_EQ(cat({"--profile", "NO_WRITE"}, file).out, "some words\n");
  EXPECT_NE(write({"--profile", "NO_WRITE"}, file).status, 0);
  EXPECT_EQ(contents(file), "some words\n");
  EXPECT_EQ(write({"--profile", "NO_NETWORK"}, file).status, 0);
  EXPECT_EQ(cat({"--policy", "base", "--profile", "NO_NETWORK"}, file).out, "written\n");
  EXPECT_NE(cat({"--profile", "PURE_COMPUTATION"}, file).status, 0);
}

TEST(RunPolicy, ADenyBeatsWhatTheCommandLineAllows) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const std::string other = directory.write("other", "other words\n");
  const std::string policy =
      directory.write("own.policy", "include: \"base\" file { path: \"" + file + "\" deny: READ }");
  const std::vector<std::string> options = {"--policy", policy, "--read", directory.path()};
  EXPECT_EQ(cat(options, other).out, "other words\n");
  EXPECT_EQ(cat(options, file).out, "");
  EXPECT_EQ(cat(options, file).status, 1);
}

TEST(RunPolicy, SetGivesAVariableItsValue) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const std::string policy =
      directory.write("own.policy", "include: \"base\" file { path: \"${INPUT}\" allow: READ }");
  EXPECT_EQ(cat({"--policy", policy, "--set", "INPUT=" + file}, file).out, "some words\n");
  const Said missing = cat({"--policy", policy}, file);
  EXPECT_EQ(missing.status, 125);
  EXPECT_THAT(missing.err, HasSubstr("--set INPUT=VALUE"));
}

TEST(RunPolicy, APolicyInUseIsNotWritten) {
  const TemporaryDirectory directory;
  const std::string policy = directory.write("own.policy", "include: \"base\"");
  const std::string second = directory.write("second.policy", "include: \"base\"");
  const std::vector<std::string> options = {"--policy", policy,    "--policy",
                                            second,     "--write", directory.path()};
  EXPECT_NE(write(options, policy).status, 0);
  EXPECT_NE(write(options, second).status, 0);
  EXPECT_EQ(contents(second), "include: \"base\"");
  EXPECT_EQ(write(options, directory.path("data")).status, 0);
}

}  // namespace
}  // namespace torno::cli
