// A policy's temporary folders: what they allow, and every mistake about them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/broker/policy/policy_fixture.h"
#include "tests/support/temporary_directory.h"

namespace torno::policy {
namespace {

using ::testing::HasSubstr;

PolicyPtr load(const std::string& text) {
  return load_text(text, "t.policy", {}).policy;
}

TEST(Temporary, AllowsToReadWriteAndMake) {
  const PolicyPtr policy = load("temporary { path: \"/tmp\" size: \"1M\" }");
  ASSERT_NE(policy, nullptr);
  const auto wanted = static_cast<Permissions>(kRead | kWrite | kCreate);
  for (const char* path : {"/tmp", "/tmp/a", "/tmp/a/b"}) {
    EXPECT_TRUE(policy->decide_file(path, wanted).allowed) << path;
    EXPECT_FALSE(policy->decide_file(path, kExecute).allowed) << path;
  }
  EXPECT_FALSE(policy->decide_file("/tmpx", kStat).allowed);
  ASSERT_EQ(policy->merged().temporary_size(), 1);
  EXPECT_EQ(policy->merged().temporary(0).path(), "/tmp");
}

TEST(Temporary, ADenyRuleHoldsThereToo) {
  const PolicyPtr policy =
      load("temporary { path: \"/tmp\" size: \"1M\" }\nfile { path: \"/tmp/a\" deny: WRITE }");
  ASSERT_NE(policy, nullptr);
  EXPECT_FALSE(policy->decide_file("/tmp/a", kWrite).allowed);
  EXPECT_TRUE(policy->decide_file("/tmp/a", kRead).allowed);
}

TEST(Temporary, OfSeveralNoneLiesInAnother) {
  const PolicyPtr two = load(
      "temporary { path: \"/tmp\" size: \"1M\" }\ntemporary { path: \"/var/tmp\" size: \"1M\" }\n"
      "temporary { path: \"/tmp\" size: \"1024K\" }");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->merged().temporary_size(), 2) << "the same again counts once";
}

struct Mistake {
  const char* text;
  const char* error;
};

TEST(Temporary, MistakesAreOneLineWithAPlace) {
  const Mistake mistakes[] = {
      {"temporary { path: \"/tmp\" }", "1:1: error: a temporary folder needs both"},
      {"temporary { size: \"1M\" }", "1:1: error: a temporary folder needs both"},
      {"temporary { path: \"/tmp\" size: \"x\" }", "1:26: error: "},
      {"temporary { path: \"/tmp\" size: \"0\" }", "1:26: error: a size of 0 holds nothing"},
      {"temporary { path: \"tmp\" size: \"1M\" }", "1:13: error: "},
      {"temporary { path: \"/tmp/*\" size: \"1M\" }", "1:13: error: '/tmp/*' names more than one"},
      {"temporary { path: \"/\" size: \"1M\" }", "1:13: error: '/' is the root"},
      {"temporary { path: \"/proc\" size: \"1M\" }", "1:13: error: '/proc' lies in /proc"},
      {"temporary { path: \"/tmp\" size: \"1M\" }\ntemporary { path: \"/tmp/a\" size: \"1M\" }",
       "2:13: error: '/tmp/a' and another temporary folder lie one in the other"},
      {"temporary { path: \"/tmp\" size: \"1M\" }\ntemporary { path: \"/tmp\" size: \"2M\" }",
       "2:13: error: '/tmp' is a temporary folder already"},
  };
  for (const Mistake& mistake : mistakes) {
    const std::vector<std::string> all = complaints(mistake.text);
    ASSERT_EQ(all.size(), 1U) << mistake.text << ::testing::PrintToString(all);
    EXPECT_THAT(all[0], ::testing::StartsWith(std::string("t.policy:") + mistake.error));
  }
}

TEST(Temporary, ALinkIsNoPlaceForOne) {
  const test::TemporaryDirectory directory;
  const std::string link = directory.path() + "/link";
  std::filesystem::create_directory_symlink("/tmp", link);
  const auto all = complaints("temporary { path: \"" + link + "\" size: \"1M\" }");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0], HasSubstr("leads through a symlink"));
}

}  // namespace
}  // namespace torno::policy
