#include "broker/session/policy_name.h"

#include <gtest/gtest.h>

#include <string>

namespace torno::session {
namespace {

TEST(PolicyNameTest, Names) {
  for (const char* name : {"png", "NO_NETWORK", "a.b-c_d", "x.policy", "7"}) {
    EXPECT_TRUE(is_policy_name(name)) << name;
  }
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "/etc/passwd", "a b", "a\n", "\xff"}) {
    EXPECT_FALSE(is_policy_name(name)) << name;
  }
  EXPECT_FALSE(is_policy_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_policy_name(std::string(kMaxPolicyName, 'x')));
  EXPECT_FALSE(is_policy_name(std::string(kMaxPolicyName + 1, 'x')));
}

TEST(PolicyNameTest, Paths) {
  EXPECT_TRUE(is_policy_path("./x"));
  EXPECT_TRUE(is_policy_path("x.policy"));
  EXPECT_FALSE(is_policy_path("x"));
  EXPECT_FALSE(is_policy_path(std::string_view("/a\0b", 4)));
  EXPECT_FALSE(is_policy_path("/" + std::string(kMaxPath, 'x')));
}

TEST(PolicyNameTest, Variables) {
  EXPECT_TRUE(is_variable("TMPDIR"));
  EXPECT_TRUE(is_variable("A_1"));
  for (const char* name : {"", "a", "1A", "_A", "A-B", "A=B"}) EXPECT_FALSE(is_variable(name));
}

}  // namespace
}  // namespace torno::session
