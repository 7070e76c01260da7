// include and profile: rules that add up, settings of which one holds, circles
// and depth.
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
using ::testing::IsEmpty;

TEST(Include, OfTheCommandLineTakesPathsAndProtectsThem) {
  const TemporaryDirectory directory;
  const std::string first = directory.path() + "/first.policy";
  const std::string second = directory.path() + "/second";
  directory.write("first.policy", "file { path: \"/**\" allow: [READ, WRITE, CREATE] }");
  directory.write("second", "file { path: \"/secret\" deny: READ }\ninclude: \"x/third\"");
  LoadOptions options;
  options.allow_paths = true;
  options.added = "include: \"" + second + "\"";
  EXPECT_THAT(texts(load(first, options)),
              ElementsAre(HasSubstr(second + ":2:1: error: 'x/third' is no policy's name")));

  directory.write("second", "file { path: \"/secret\" deny: READ }");
  const Loaded loaded = load(first, options);
  ASSERT_NE(loaded.policy, nullptr) << ::testing::PrintToString(texts(loaded));
  EXPECT_FALSE(allowed(loaded.policy, "/secret"));
  EXPECT_TRUE(allowed(loaded.policy, "/other", kWrite));
  for (const std::string& own : {first, second}) {
    EXPECT_FALSE(allowed(loaded.policy, own, kWrite)) << own;
  }

  options.allow_paths = false;
  EXPECT_THAT(texts(load_text("", "x.policy", options)),
              ElementsAre(HasSubstr("is no policy's name")));
}

TEST(Include, AddsRulesThatKeepTheirPlace) {
  const TemporaryDirectory directory;
  directory.write("inner.policy", "\n\nfile { path: \"/inner\" allow: READ }");
  directory.write("outer.policy",
                  "include: \"inner\"\nprofile: NO_WRITE\nfile "
                  "{ path: \"/x\" allow: WRITE }");
  LoadOptions options;
  options.directories = {directory.path()};
  const Loaded loaded = load("outer", options);
  ASSERT_NE(loaded.policy, nullptr) << ::testing::PrintToString(texts(loaded));
  EXPECT_EQ(loaded.policy->name(), "outer");
  EXPECT_TRUE(allowed(loaded.policy, "/x", kRead | kWrite));
  EXPECT_TRUE(allowed(loaded.policy, "/anything"));
  EXPECT_FALSE(allowed(loaded.policy, "/anything", kWrite));
  const RuleSource* rule = loaded.policy->decide_file("/inner", kRead).rule;
  EXPECT_EQ(rule->file, directory.path() + "/inner.policy");
  EXPECT_EQ(rule->line, 3);
  EXPECT_EQ(loaded.policy->merged().include_size(), 0);
}

TEST(Include, AFileReachedTwiceCountsOnce) {
  const TemporaryDirectory directory;
  directory.write("d.policy", "file { path: \"/d\" allow: READ }");
  directory.write("b.policy", "include: \"d\"");
  directory.write("c.policy", "include: \"d\"");
  directory.write("a.policy", "include: [\"b\", \"c\"]");
  LoadOptions options;
  options.directories = {directory.path()};
  const Loaded loaded = load("a", options);
  EXPECT_THAT(texts(loaded), IsEmpty());
  EXPECT_EQ(loaded.policy->merged().file_size(), 1);
}

TEST(Include, CirclesAndDepthAreErrors) {
  const TemporaryDirectory directory;
  directory.write("a.policy", "\ninclude: \"b\"");
  directory.write("b.policy", "include: \"a\"");
  for (int i = 0; i < 40; ++i) {
    directory.write("n" + std::to_string(i) + ".policy",
                    "include: \"n" + std::to_string(i + 1) + "\"");
  }
  directory.write("n40.policy", "");
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(texts(load("a", options)),
              ElementsAre(directory.path() + "/b.policy:1:1: error: 'a' includes itself in a "
                                             "circle; remove one include"));
  EXPECT_THAT(texts(load("n0", options)), ElementsAre(HasSubstr("more than 16 files deep")));
}

TEST(Include, AnErrorNamesTheIncludedFile) {
  const TemporaryDirectory directory;
  directory.write("inner.policy", "fil { }");
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(complaints("include: \"inner\"", options),
              ElementsAre(directory.path() + "/inner.policy:1:1: error: unknown field "
                                             "'fil'; did you mean 'file'?"));
}

TEST(Include, WhatAFileSaysItselfCountsBeforeWhatItIncludes) {
  const TemporaryDirectory directory;
  directory.write("a.policy",
                  "limit { open_files: 64 memory: \"1G\" } unknown_syscall: UNKNOWN_KILL");
  directory.write("b.policy", "limit { open_files: 99 }");
  LoadOptions options;
  options.directories = {directory.path()};

  const PolicyPtr own =
      must_load("include: \"a\" limit { open_files: 32 } unknown_syscall: UNKNOWN_ENOSYS", options);
  EXPECT_EQ(own->merged().limit().open_files(), 32U);
  EXPECT_EQ(own->merged().limit().memory(), "1G");
  EXPECT_EQ(own->merged().unknown_syscall(), UNKNOWN_ENOSYS);

  EXPECT_THAT(complaints("include: \"a\"\ninclude: \"b\"", options),
              ElementsAre("t.policy:2:1: error: 'limit.open_files' is one thing at " +
                          directory.path() + "/a.policy:1 and another at " + directory.path() +
                          "/b.policy:1; say in this file which holds"));
  const PolicyPtr settled = must_load("include: [\"a\", \"b\"] limit { open_files: 7 }", options);
  EXPECT_EQ(settled->merged().limit().open_files(), 7U);
  EXPECT_EQ(settled->merged().unknown_syscall(), UNKNOWN_KILL);
}

TEST(Include, RequirementsAddUp) {
  const TemporaryDirectory directory;
  directory.write("a.policy", "require: LANDLOCK");
  LoadOptions options;
  options.directories = {directory.path()};
  const PolicyPtr policy = must_load("include: \"a\" require: [MDWE, LANDLOCK]", options);
  EXPECT_THAT(policy->merged().require(), ::testing::UnorderedElementsAre(LANDLOCK, MDWE));
}

TEST(Include, NamesOfVariablesAddUp) {
  const TemporaryDirectory directory;
  directory.write("a.policy", "environment: [\"LANG\", \"LC_*\"]");
  directory.write("b.policy", "environment: \"LANG\"");
  LoadOptions options;
  options.directories = {directory.path()};
  const PolicyPtr policy =
      must_load("include: [\"a\", \"b\"] environment: [\"PATH\", \"LANG\", \"PATH\"]", options);
  EXPECT_THAT(policy->merged().environment(), ElementsAre("PATH", "LANG", "LC_*"));
  EXPECT_THAT(must_load("", options)->merged().environment(), IsEmpty());

  directory.write("wrong.policy", "\nenvironment: \"TORNO_FD\"");
  EXPECT_THAT(complaints("include: \"wrong\"", options),
              ElementsAre(HasSubstr("/wrong.policy:2:1: error: 'TORNO_FD' is Torno's own")));
}

TEST(Include, AnExpectationHoldsForTheWholePolicy) {
  const TemporaryDirectory directory;
  directory.write("a.policy", "expect { deny: READ path: \"/a\" }");
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(complaints("include: \"a\"\nfile { path: \"/a\" allow: READ }", options),
              ElementsAre(directory.path() + "/a.policy:1:1: error: expectation failed: READ of /a "
                                             "is allowed, by the rule at t.policy:2; change the "
                                             "rules or the expectation"));
}

}  // namespace
}  // namespace torno::policy
