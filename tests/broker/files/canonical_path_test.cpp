#include "broker/files/canonical_path.h"

#include <gtest/gtest.h>

#include <string>

namespace torno::files {
namespace {

using Append = CanonicalPath::Append;

std::string normalised(std::string_view text) {
  CanonicalPath path;
  EXPECT_EQ(path.append(text), Append::kDone);
  return std::string(path.view());
}

TEST(CanonicalPath, DropsDotsAndEmptyComponents) {
  EXPECT_EQ(normalised(""), "/");
  EXPECT_EQ(normalised("/"), "/");
  EXPECT_EQ(normalised("///"), "/");
  EXPECT_EQ(normalised("/a//b/./c/"), "/a/b/c");
  EXPECT_EQ(normalised("./a/."), "/a");
  EXPECT_EQ(normalised("/.../..a/a.."), "/.../..a/a..");
}

TEST(CanonicalPath, CannotTellDotDot) {
  CanonicalPath path;
  EXPECT_EQ(path.append("/a/../b"), Append::kDotDot);
  path.clear();
  EXPECT_EQ(path.append(".."), Append::kDotDot);
}

TEST(CanonicalPath, HoldsUpToPathMax) {
  CanonicalPath path;
  EXPECT_TRUE(path.push(std::string(PATH_MAX - 2, 'x')));
  EXPECT_EQ(path.view().size(), PATH_MAX - 1U);
  path.clear();
  EXPECT_FALSE(path.push(std::string(PATH_MAX - 1, 'x')));
  EXPECT_EQ(path.view(), "/");
  EXPECT_EQ(path.append(std::string(PATH_MAX, 'x')), Append::kTooLong);
}

TEST(CanonicalPath, PushesAndPops) {
  CanonicalPath path;
  path.pop();
  EXPECT_TRUE(path.is_root());
  EXPECT_STREQ(path.below_root(), ".");
  EXPECT_TRUE(path.push("a"));
  EXPECT_TRUE(path.push("b"));
  EXPECT_STREQ(path.below_root(), "a/b");
  path.pop();
  EXPECT_EQ(path.view(), "/a");
  path.pop();
  EXPECT_TRUE(path.is_root());
}

TEST(CanonicalPath, BeneathIsByComponents) {
  EXPECT_TRUE(is_at_or_beneath("/a", "/a"));
  EXPECT_TRUE(is_at_or_beneath("/a/b", "/a"));
  EXPECT_TRUE(is_at_or_beneath("/a", "/"));
  EXPECT_FALSE(is_at_or_beneath("/ab", "/a"));
  EXPECT_FALSE(is_at_or_beneath("/", "/a"));
}

TEST(CanonicalPath, KnowsWhatNamesADirectory) {
  for (const char* path : {"/", "a/", "/a/.", "/a/..", ".", ".."}) {
    EXPECT_TRUE(names_directory(path)) << path;
  }
  for (const char* path : {"/a", "a", "/a/...", "/a/.b"}) {
    EXPECT_FALSE(names_directory(path)) << path;
  }
}

}  // namespace
}  // namespace torno::files
