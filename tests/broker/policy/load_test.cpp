// Finding and loading a policy: names, directories, places of rules,
// quantities.
#include "broker/policy/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/policy/find.h"
#include "broker/policy/quantity.h"
#include "tests/broker/policy/policy_fixture.h"

namespace torno::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Find, TheFirstDirectoryWinsAndTheBuiltInComesLast) {
  const TemporaryDirectory first;
  const TemporaryDirectory second;
  second.write("base.policy", "file { path: \"/second\" allow: READ }");
  LoadOptions options;
  options.directories = {first.path(), first.path() + "/missing", second.path()};
  EXPECT_TRUE(allowed(load("base", options).policy, "/second"));
  first.write("base.policy", "file { path: \"/first\" allow: READ }");
  const PolicyPtr policy = load("base", options).policy;
  EXPECT_TRUE(allowed(policy, "/first"));
  EXPECT_EQ(policy->decide_file("/first", kRead).rule->file, first.path() + "/base.policy");

  const PolicyPtr built_in = load("base", {}).policy;
  ASSERT_NE(built_in, nullptr);
  EXPECT_EQ(built_in->decide_file("/etc/ld.so.cache", kRead).rule->file, "<built-in>/base.policy");
}

// A peer of a shared broker chooses the name.
TEST(Find, ANameNeverLeadsOutOfTheDirectories) {
  const TemporaryDirectory directory;
  directory.make_directory("policies");
  directory.write("secret.policy", "");
  LoadOptions options;
  options.directories = {directory.path() + "/policies"};
  for (const std::string& name :
       {std::string("../secret"), directory.path() + "/secret", std::string(".."), std::string("."),
        std::string(""), std::string("a/b"), std::string("secret\0x", 8), std::string(300, 'a'),
        std::string("a\nb")}) {
    const Loaded loaded = load(name, options);
    EXPECT_EQ(loaded.policy, nullptr) << name;
    EXPECT_TRUE(loaded.unreadable);
    EXPECT_THAT(texts(loaded), ElementsAre(HasSubstr("is no policy's name"))) << name;
  }
  EXPECT_EQ(load(directory.path() + "/secret.policy", options).policy, nullptr);
  options.allow_paths = true;
  EXPECT_NE(load(directory.path() + "/secret.policy", options).policy, nullptr);
}

TEST(Find, WhatIsMissingIsSaid) {
  const TemporaryDirectory directory;
  LoadOptions options;
  options.directories = {directory.path()};
  Loaded loaded = load("bse", options);
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_THAT(texts(loaded), ElementsAre("error: no policy 'bse' in " + directory.path() +
                                         ", nor built in; did you mean 'base'?"));
  options.allow_paths = true;
  loaded = load(directory.path() + "/x.policy", options);
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_THAT(texts(loaded), ElementsAre("error: cannot read '" + directory.path() +
                                         "/x.policy': No such file or directory; check the "
                                         "path, or name a policy by its name alone"));
  loaded = load(directory.path(), options);
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_THAT(texts(loaded), ElementsAre(HasSubstr("is no regular file; name a file")));
}

TEST(Find, AFifoThatAPathNamesHoldsNobody) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory.path() + "/x.policy").c_str(), 0600), 0);
  LoadOptions options;
  options.allow_paths = true;
  const Loaded loaded = load(directory.path() + "/x.policy", options);
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_THAT(texts(loaded), ElementsAre(HasSubstr("is no regular file")));
}

// A FIFO with nobody at its other end would hold the broker for ever.
TEST(Find, AFifoInADirectoryHoldsNobody) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory.path() + "/x.policy").c_str(), 0600), 0);
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(texts(load("x", options)), ElementsAre(HasSubstr("is no regular file")));
}

TEST(Find, DefaultDirectoriesComeFromTheEnvironmentElseTheSystem) {
  const char* const before = ::getenv("TORNO_POLICY_PATH");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TORNO_POLICY_PATH", "/a::/b", 1);
  EXPECT_THAT(default_directories(), ElementsAre("/a", "/b"));
  ::unsetenv("TORNO_POLICY_PATH");
  EXPECT_THAT(default_directories(), ElementsAre("/etc/torno/policies", "/run/torno/policies",
                                                 HasSubstr("/lib/torno/policies")));
  if (before != nullptr) ::setenv("TORNO_POLICY_PATH", kept.c_str(), 1);
}

TEST(Name, IsTheFilesUnlessItSaysOtherwise) {
  EXPECT_EQ(load_text("", "/x/png.policy", {}).policy->name(), "png");
  EXPECT_EQ(load_text("name: \"other\"", "/x/png.policy", {}).policy->name(), "other");
}

TEST(Syscall, RulesKeepTheirPlace) {
  const PolicyPtr policy = must_load(
      "\nsyscall { name: \"write\" action: ERRNO errno: \"EPERM\" "
      "arg { index: 0 op: NE value: 1 } "
      "}");
  ASSERT_EQ(policy->merged().syscall_size(), 1);
  EXPECT_EQ(policy->merged().syscall(0).errno_name(), "EPERM");
  EXPECT_EQ(policy->syscall_places(0).rule.line, 2);
}

TEST(Quantity, SharesOfProcessors) {
  EXPECT_EQ(parse_cpus("2"), 200U);
  EXPECT_EQ(parse_cpus("0.5"), 50U);
  EXPECT_EQ(parse_cpus("1.25"), 125U);
  EXPECT_EQ(parse_cpus("0.01"), 1U);
  for (const char* bad : {"", ".", ".5", "1.", "0.125", "1.x", "1.2x", "-1", "10001", "1 "}) {
    EXPECT_FALSE(parse_cpus(bad)) << bad;
  }
}

TEST(Quantity, Sizes) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("512M"), 512ULL << 20);
  EXPECT_EQ(parse_size("16777215T"), 16777215ULL << 40);
  for (const char* bad :
       {"", "M", "1MB", "-1", "1 M", "0x10", "1m", "16777216T", "99999999999999999999"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
  EXPECT_EQ(parse_seconds("10s"), 10U);
  EXPECT_EQ(parse_seconds("2m"), 120U);
  EXPECT_EQ(parse_seconds("1h"), 3600U);
  for (const char* bad : {"", "10", "s", "10ms", "-1s", "9999999999999999999h"}) {
    EXPECT_FALSE(parse_seconds(bad)) << bad;
  }
}

TEST(Quantity, ErrnoNames) {
  EXPECT_EQ(errno_value("EPERM"), EPERM);
  EXPECT_EQ(errno_value("EWOULDBLOCK"), EAGAIN);
  EXPECT_FALSE(errno_value("EPREM"));
  EXPECT_FALSE(errno_value(""));
}

}  // namespace
}  // namespace torno::policy
