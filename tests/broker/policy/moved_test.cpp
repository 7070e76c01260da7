// What a policy says about two places: whether a directory that is moved from one to the other
// would be decided about alike, with all that is in it; and all that may be had at one.
#include <gtest/gtest.h>

#include "tests/broker/policy/policy_fixture.h"

namespace torno::policy {
namespace {

TEST(Moved, BeneathOneTreeAllIsAlike) {
  const PolicyPtr policy = must_load(R"(file { path: "/a/**" allow: [READ, CREATE] })");
  EXPECT_TRUE(policy->same_beneath("/a/x", "/a/y"));
  EXPECT_TRUE(policy->same_beneath("/a/x", "/a/deep/y"));
  EXPECT_TRUE(policy->same_beneath("/a", "/a/y"));
  EXPECT_TRUE(policy->same_beneath("/b", "/c"));
  EXPECT_FALSE(policy->same_beneath("/a/x", "/b"));
  EXPECT_FALSE(policy->same_beneath("/", "/a")) << "/a itself is beneath the one";
}

TEST(Moved, TreesOfTheSameRightsAreAlike) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a/**" allow: [READ, CREATE] }
    file { path: "/b/**" allow: [CREATE, READ] }
    file { path: "/c/**" allow: [CREATE, READ, WRITE] })");
  EXPECT_TRUE(policy->same_beneath("/a/x", "/b/x"));
  EXPECT_FALSE(policy->same_beneath("/a/x", "/c/x"));
  EXPECT_FALSE(policy->same_beneath("/c/x", "/a/x"));
}

TEST(Moved, ADenyBeneathMakesADifference) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a/**" allow: [READ, CREATE] }
    file { path: "/a/x/y/secret/**" deny: READ })");
  EXPECT_FALSE(policy->same_beneath("/a/x", "/a/z"));
  EXPECT_FALSE(policy->same_beneath("/a/z", "/a/x"));
  EXPECT_FALSE(policy->same_beneath("/a/x/y", "/a/z"));
  EXPECT_TRUE(policy->same_beneath("/a/x/other", "/a/z"));
  EXPECT_FALSE(policy->same_beneath("/a/x/y/secret", "/a/z"));
}

TEST(Moved, PatternsHalfMatchedMakeADifference) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a/**" allow: [READ, CREATE] }
    file { path: "/a/*/k/*.key" deny: READ }
    file { path: "/**/deep/**" deny: WRITE })");
  EXPECT_TRUE(policy->same_beneath("/a/x", "/a/y")) << "both stand at the one star";
  EXPECT_FALSE(policy->same_beneath("/a/x", "/a/x/y"));
  EXPECT_FALSE(policy->same_beneath("/a/x/k", "/a/x/l"));
  EXPECT_FALSE(policy->same_beneath("/a/x/deep", "/a/x/l"));
}

TEST(Moved, WhatIsNoCanonicalPathIsLikeNothing) {
  const PolicyPtr policy = must_load(R"(file { path: "/a/**" allow: [READ, CREATE] })");
  for (const char* path : {"", "a", "/a/..", "/a//b", "/a/./b"}) {
    EXPECT_FALSE(policy->same_beneath(path, path)) << path;
    EXPECT_FALSE(policy->same_beneath(path, "/a")) << path;
  }
}

// Whatever decide says beneath the one it has to say beneath the other, where they are alike.
TEST(Moved, AlikeMeansDecidedAlike) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a/**" allow: [READ, CREATE] }
    file { path: "/a/b/**" allow: WRITE }
    file { path: "/a/*/c" deny: READ }
    file { path: "/**/b/*.h" deny: WRITE }
    file { path: "/b/a/**" allow: [READ, CREATE, WRITE] })");
  std::vector<std::string> paths = {""};
  for (std::size_t begin = 0, depth = 0; depth < 3; ++depth) {
    const std::size_t end = paths.size();
    for (std::size_t i = begin; i < end; ++i) {
      for (const char* name : {"/a", "/b", "/c", "/x.h"}) paths.push_back(paths[i] + name);
    }
    begin = end;
  }
  int alike = 0;
  for (const std::string& one : paths) {
    for (const std::string& other : paths) {
      if (one.empty() || other.empty() || !policy->same_beneath(one, other)) continue;
      ++alike;
      for (const std::string& tail : paths) {
        if (tail.empty()) continue;
        ASSERT_EQ(policy->permissions(one + tail), policy->permissions(other + tail))
            << one << " " << other << " " << tail;
      }
    }
  }
  EXPECT_GT(alike, static_cast<int>(paths.size())) << "more than each with itself";
}

TEST(Moved, PermissionsAreWhatMayBeHad) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a/**" allow: [READ, WRITE, CREATE] }
    file { path: "/a/r" deny: [WRITE, CREATE] })");
  EXPECT_EQ(policy->permissions("/a/x"), kRead | kWrite | kCreate | kStat);
  EXPECT_EQ(policy->permissions("/a/r"), kRead | kStat);
  EXPECT_EQ(policy->permissions("/b"), kNone);
}

TEST(Moved, AStackIsTheIntersection) {
  PolicyStack stack(must_load(R"(file { path: "/a/**" allow: [READ, WRITE, CREATE] })"));
  EXPECT_TRUE(stack.same_beneath("/a/x", "/a/y"));
  stack.push(must_load(R"(
    file { path: "/a/**" allow: [READ, CREATE] }
    file { path: "/a/y/z" deny: READ })"));
  EXPECT_FALSE(stack.same_beneath("/a/x", "/a/y"));
  EXPECT_EQ(stack.permissions("/a/x"), kRead | kCreate | kStat);
  EXPECT_EQ(PolicyStack().permissions("/a/x"), kNone);
}

}  // namespace
}  // namespace torno::policy
