// The paths of rules: what parses, what does not and why, and when two have a path in common.
#include "broker/policy/path_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/broker/policy/reference.h"

namespace torno::policy {
namespace {

using ::testing::HasSubstr;

TEST(PathPattern, KeepsWhatItParsed) {
  for (const char* text : {"/", "/**", "/a", "/a/**", "/a/**/b", "/a*/?b", "/\\*/x\\[y"}) {
    const auto pattern = PathPattern::parse(text);
    ASSERT_TRUE(pattern) << text << ": " << pattern.error();
    EXPECT_EQ(pattern->text(), text);
  }
  EXPECT_EQ(PathPattern::parse("/a/**/**/b")->text(), "/a/**/b");
  EXPECT_EQ(PathPattern::parse("/\\a*\\b")->text(), "/a*b");
  EXPECT_EQ(PathPattern::parse("/\\a")->text(), "/a");
  EXPECT_EQ(PathPattern::parse("/\\*\\*/b")->literal_prefix(), "/**/b");
}

TEST(PathPattern, RefusesWhatIsNoPath) {
  const std::pair<std::string, const char*> bad[] = {
      {"", "is empty"},
      {"a/b", "is relative"},
      {"/a//b", "empty component"},
      {"/a/", "ends in '/'"},
      {"/a/./b", "'.' is no part"},
      {"/a/../b", "'..' is no part"},
      {"/a/\\../b", "'..' is no part"},
      {"/a\\", "backslash"},
      {"/a\\/b", "backslash"},
      {"/a**", "glued"},
      {"/**a", "glued"},
      {"/***", "glued"},
      {"/[ab]", "character class"},
      {"/{a,b}", "alternative"},
      {std::string("/a\0b", 4), "NUL"},
      {"/" + std::string(256, 'a'), "255 bytes"},
      {"/" + std::string(256, 'a') + "*", "255 bytes"},
      {"/" + std::string(5000, 'a'), "4095 bytes"},
  };
  for (const auto& [text, why] : bad) {
    const auto pattern = PathPattern::parse(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_THAT(pattern.error(), HasSubstr(why)) << text;
  }
}

TEST(PathPattern, LiteralPrefixEndsAtTheFirstWildcard) {
  EXPECT_EQ(PathPattern::parse("/usr/lib/*/x")->literal_prefix(), "/usr/lib");
  EXPECT_EQ(PathPattern::parse("/**")->literal_prefix(), "/");
  EXPECT_EQ(PathPattern::parse("/lib/**")->with_prefix("/usr/lib").text(), "/usr/lib/**");
}

TEST(PathPattern, OverlapsIsNeverWronglyNo) {
  const auto overlap = [](const char* a, const char* b) {
    return overlaps(*PathPattern::parse(a), *PathPattern::parse(b));
  };
  EXPECT_TRUE(overlap("/a/**", "/**/b"));
  EXPECT_TRUE(overlap("/a/**", "/a"));
  EXPECT_TRUE(overlap("/a/*/c", "/a/b*/?"));
  EXPECT_FALSE(overlap("/a/**", "/b/**"));
  EXPECT_FALSE(overlap("/a/*", "/a"));
  EXPECT_FALSE(overlap("/**/a", "/**/b"));

  reference::Random random(5);
  for (int i = 0; i < 50'000; ++i) {
    const std::string a = random.pattern();
    const std::string b = random.pattern();
    const std::string path = random.path();
    const auto on_path = [&](const std::string& pattern) {
      return reference::decide({{pattern, kStat, kNone}}, path, kStat).allowed;
    };
    if (on_path(a) && on_path(b)) {
      ASSERT_TRUE(overlap(a.c_str(), b.c_str())) << a << " and " << b << " match " << path;
    }
  }
}

}  // namespace
}  // namespace torno::policy
