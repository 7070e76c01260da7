// One component against one glob: by example, and against the naive matcher over random pairs.
#include "broker/policy/glob.h"

#include <gtest/gtest.h>

#include "tests/broker/policy/reference.h"

namespace torno::policy {
namespace {

TEST(Glob, MatchesByExample) {
  EXPECT_TRUE(glob_match("abc", "abc"));
  EXPECT_FALSE(glob_match("abc", "ab"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*", ".hidden"));
  EXPECT_TRUE(glob_match("*.png", ".png"));
  EXPECT_TRUE(glob_match("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(glob_match("a*b*c", "a-c-b"));
  EXPECT_TRUE(glob_match("?", "\xff"));
  EXPECT_FALSE(glob_match("?", ""));
  EXPECT_TRUE(glob_match("\\*", "*"));
  EXPECT_FALSE(glob_match("\\*", "a"));
  EXPECT_TRUE(glob_match("a\\?\\\\", "a?\\"));
  EXPECT_FALSE(glob_match("a\\", "a\\")) << "a backslash at the end escapes nothing";
}

TEST(Glob, AgreesWithTheNaiveMatcher) {
  reference::Random random(1);
  int matched = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string glob = random.glob();
    const std::string name = random.name();
    const bool expected = reference::glob_match(glob, name);
    matched += expected ? 1 : 0;
    ASSERT_EQ(glob_match(glob, name), expected) << glob << " on " << name;
  }
  EXPECT_GT(matched, 10'000) << "the random words hardly ever match: they test nothing";
}

// A hostile name cannot make matching explode: the naive matcher needs 2^100 steps for this.
TEST(Glob, TakesNoExponentialTime) {
  std::string glob;
  for (int i = 0; i < 100; ++i) glob += "a*";
  EXPECT_FALSE(glob_match(glob + "b", std::string(4000, 'a')));
}

TEST(Glob, ShapeIsWhatEveryMatchBeginsAndEndsWith) {
  const GlobShape user = glob_shape("user\\*1*x?-\\?");
  EXPECT_EQ(user.prefix, "user*1");
  EXPECT_EQ(user.middle, "*x?");
  EXPECT_EQ(user.suffix, "-?");
  EXPECT_FALSE(user.literal);
  const GlobShape plain = glob_shape("a\\[b");
  EXPECT_EQ(plain.prefix, "a[b");
  EXPECT_TRUE(plain.literal);
}

TEST(Glob, CoversIsNeverWronglyYes) {
  EXPECT_TRUE(glob_covers("*", "a?*"));
  EXPECT_TRUE(glob_covers("a*", "ab*c"));
  EXPECT_TRUE(glob_covers("?b", "ab"));
  EXPECT_FALSE(glob_covers("?", "*"));
  EXPECT_FALSE(glob_covers("a?", "a*"));
  reference::Random random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::string wide = random.glob();
    const std::string narrow = random.glob();
    if (!glob_covers(wide, narrow)) continue;
    for (int j = 0; j < 20; ++j) {
      const std::string name = random.name();
      if (!reference::glob_match(narrow, name)) continue;
      ASSERT_TRUE(reference::glob_match(wide, name)) << wide << " over " << narrow << ": " << name;
    }
  }
}

TEST(Glob, OverlapsIsNeverWronglyNo) {
  EXPECT_TRUE(glob_overlaps("a*", "*b"));
  EXPECT_TRUE(glob_overlaps("a?c", "*bc"));
  EXPECT_FALSE(glob_overlaps("a*", "b*"));
  EXPECT_FALSE(glob_overlaps("?", "ab"));
  reference::Random random(3);
  for (int i = 0; i < 100'000; ++i) {
    const std::string a = random.glob();
    const std::string b = random.glob();
    const std::string name = random.name();
    if (reference::glob_match(a, name) && reference::glob_match(b, name)) {
      ASSERT_TRUE(glob_overlaps(a, b)) << a << " and " << b << " match " << name;
    }
  }
}

TEST(Glob, EscapeMakesALiteral) {
  reference::Random random(4);
  for (int i = 0; i < 1000; ++i) {
    const std::string literal = random.glob() + "[{\\";
    EXPECT_TRUE(glob_match(glob_escape(literal), literal));
    EXPECT_EQ(glob_shape(glob_escape(literal)).prefix, literal);
  }
}

}  // namespace
}  // namespace torno::policy
