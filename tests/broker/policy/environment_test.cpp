// Names in a policy's `environment`, and what they match.
#include "broker/policy/environment.h"

#include <gtest/gtest.h>

namespace torno::policy {
namespace {

TEST(EnvironmentNames, AreNamesAndTheirBeginnings) {
  for (const char* name : {"A", "a", "_", "_1", "LC_ALL", "TORNO", "TORNOX", "torno_fd"}) {
    EXPECT_TRUE(check_variable_name(name)) << name;
    EXPECT_TRUE(check_environment_name(name)) << name;
    EXPECT_TRUE(check_environment_name(std::string(name) + "*")) << name;
  }
  EXPECT_TRUE(check_environment_name("*"));
  EXPECT_TRUE(check_environment_name("TORNO*"));
  EXPECT_FALSE(check_environment_name("TORNO_X*"));
  for (const char* wrong : {"", "1", "1A", "A B", "A-B", "A=", "\xc3\xa4", "TORNO_", "TORNO_FD"}) {
    EXPECT_FALSE(check_variable_name(wrong)) << wrong;
    EXPECT_FALSE(check_environment_name(wrong)) << wrong;
  }
  for (const char* pattern : {"A*", "*", "TORNO*"}) EXPECT_FALSE(check_variable_name(pattern));
  for (const char* wrong : {"**", "A**", "*A", "A*B", "1*", "?"}) {
    EXPECT_FALSE(check_environment_name(wrong)) << wrong;
  }
}

TEST(EnvironmentNames, MatchWhatTheySay) {
  EXPECT_TRUE(environment_matches("PATH", "PATH"));
  EXPECT_FALSE(environment_matches("PATH", "PATHS"));
  EXPECT_FALSE(environment_matches("PATH", "path"));
  EXPECT_TRUE(environment_matches("LC_*", "LC_ALL"));
  EXPECT_TRUE(environment_matches("LC_*", "LC_"));
  EXPECT_FALSE(environment_matches("LC_*", "LC"));
  EXPECT_TRUE(environment_matches("*", "ANY"));
}

}  // namespace
}  // namespace torno::policy
