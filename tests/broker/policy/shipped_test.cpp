// The shipped policies and profiles: they load without a warning, and mean what they say.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "broker/policy/find.h"
#include "broker/policy/network.h"
#include "tests/broker/policy/policy_fixture.h"

namespace torno::policy {
namespace {

PolicyPtr shipped(const std::string& name) {
  LoadOptions options;
  options.variables = default_variables(0, 1, "/");
  const Loaded loaded = load(name, options);
  for (const std::string& complaint : texts(loaded)) ADD_FAILURE() << complaint;
  return loaded.policy;
}

bool connects(const Policy& policy, const std::string& to) {
  return policy.decide_connect(parse_endpoint(to)->endpoint()).allowed;
}

bool allowed(const Policy& policy, const std::string& path, Permissions wanted) {
  return policy.decide_file(path, wanted).allowed;
}

TEST(Shipped, EveryPolicyIsBuiltInAndLoadsWithoutWarnings) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TORNO_SOURCE_DIR "/policies")) {
    if (entry.path().extension() != ".policy") continue;
    ++files;
    const std::string name = entry.path().stem();
    const PolicyPtr policy = shipped(name);
    ASSERT_NE(policy, nullptr) << name;
    EXPECT_EQ(policy->name(), name);
  }
  EXPECT_EQ(built_in_policies().size(), files);
  for (const BuiltIn& built_in : built_in_policies()) {
    std::ostringstream text;
    text << std::ifstream(TORNO_SOURCE_DIR "/policies/" + std::string(built_in.name) + ".policy")
                .rdbuf();
    EXPECT_EQ(built_in.text, text.str()) << built_in.name;
  }
}

TEST(Shipped, EveryProfileOfTheSchemaIsThere) {
  for (int value = Profile_MIN + 1; value <= Profile_MAX; ++value) {
    EXPECT_NE(shipped(Profile_Name(static_cast<Profile>(value))), nullptr);
  }
}

TEST(Shipped, BaseServesADynamicProgramAndNoMore) {
  const PolicyPtr base = shipped("base");
  const std::string libc = std::filesystem::canonical("/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_TRUE(allowed(*base, libc, kRead));
  EXPECT_TRUE(allowed(*base, "/etc/ld.so.cache", kRead));
  EXPECT_TRUE(allowed(*base, "/dev/null", kRead | kWrite | kCharacterDevice));
  EXPECT_FALSE(allowed(*base, libc, kWrite));
  EXPECT_FALSE(allowed(*base, libc, kExecute));
  for (const char* secret : {"/etc/shadow", "/etc/passwd", "/root/.ssh/id_rsa", "/home/me/x",
                             "/dev/sda", "/dev/tty", "/proc/self/mem", "/usr/bin/sh"}) {
    EXPECT_FALSE(allowed(*base, secret, kRead)) << secret;
  }
  EXPECT_FALSE(connects(*base, "127.0.0.1:80"));
}

// Those of programs add nothing of the user's, and can be put together.
TEST(Shipped, PoliciesOfProgramsShowNothingOfTheUsers) {
  for (const char* name : {"bash", "busybox", "file", "git", "go", "java", "make", "node",
                           "pdftotext", "perl", "python3", "xmllint"}) {
    SCOPED_TRACE(name);
    const PolicyPtr policy = shipped(name);
    ASSERT_NE(policy, nullptr);
    for (const char* secret : {"/etc/shadow", "/root/.ssh/id_rsa", "/home/me/x", "/tmp/x",
                               "/etc/ssl/private/key.pem", "/proc/self/mem", "/dev/sda"}) {
      EXPECT_FALSE(allowed(*policy, secret, kStat)) << secret;
    }
    for (const char* system : {"/usr/bin/env", "/usr/lib/x.so", "/etc/ld.so.cache"}) {
      EXPECT_FALSE(allowed(*policy, system, kWrite)) << system;
      EXPECT_FALSE(allowed(*policy, system, kCreate)) << system;
    }
    EXPECT_FALSE(allowed(*policy, "/usr/sbin/chroot", kExecute));
    const std::string started = name;
    EXPECT_EQ(allowed(*policy, "/usr/bin/env", kExecute), started == "bash" || started == "make");
    EXPECT_FALSE(connects(*policy, "127.0.0.1:80"));
    EXPECT_FALSE(connects(*policy, "unix:/run/x.sock"));
  }
}

TEST(Shipped, PureComputationAllowsNothing) {
  const PolicyPtr policy = shipped("PURE_COMPUTATION");
  for (const char* path : {"/", "/usr/lib/libc.so.6", "/dev/null", "/tmp"}) {
    EXPECT_FALSE(allowed(*policy, path, kStat)) << path;
    EXPECT_FALSE(policy->decide_file(path, kStat).leads) << path;
  }
  EXPECT_FALSE(connects(*policy, "127.0.0.1:80"));
  EXPECT_FALSE(connects(*policy, "unix:/run/x"));
}

TEST(Shipped, NoNetworkAndNoInternet) {
  const PolicyPtr no_network = shipped("NO_NETWORK");
  const PolicyPtr no_internet = shipped("NO_INTERNET");
  for (const PolicyPtr& policy : {no_network, no_internet}) {
    EXPECT_TRUE(allowed(*policy, "/home/me/x", kRead | kWrite | kCreate));
    EXPECT_FALSE(allowed(*policy, "/dev/sda", kRead | kBlockDevice));
    EXPECT_FALSE(connects(*policy, "192.0.2.1:443"));
    EXPECT_FALSE(connects(*policy, "[2001:db8::1]:443"));
  }
  for (const char* local : {"127.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "unix:@x"}) {
    EXPECT_FALSE(connects(*no_network, local)) << local;
    EXPECT_TRUE(connects(*no_internet, local)) << local;
  }
}

TEST(Shipped, NoWrite) {
  const PolicyPtr no_write = shipped("NO_WRITE");
  const PolicyPtr except = shipped("NO_WRITE_EXCEPT_TEMPORARY");
  for (const PolicyPtr& policy : {no_write, except}) {
    EXPECT_TRUE(allowed(*policy, "/home/me/x", kRead));
    EXPECT_FALSE(allowed(*policy, "/home/me/x", kWrite));
    EXPECT_FALSE(allowed(*policy, "/home/me/x", kCreate));
    EXPECT_FALSE(allowed(*policy, "/home/me/pipe", kWrite | kFifo));
    EXPECT_TRUE(allowed(*policy, "/dev/null", kWrite | kCharacterDevice));
    EXPECT_TRUE(connects(*policy, "192.0.2.1:443"));
  }
  EXPECT_FALSE(allowed(*no_write, "/tmp/x", kWrite));
  for (const char* path : {"/tmp/x", "/var/tmp/a/b"}) {
    EXPECT_TRUE(allowed(*except, path, kRead | kWrite | kCreate)) << path;
  }
}

TEST(Shipped, FuzzHasAFolderOfItsOwnAndNothingOfTheUsers) {
  const PolicyPtr fuzz = shipped("FUZZ");
  ASSERT_EQ(fuzz->merged().temporary_size(), 1);
  EXPECT_EQ(fuzz->merged().temporary(0).path(), "/tmp");
  EXPECT_TRUE(allowed(*fuzz, "/tmp/a/b", kRead | kWrite | kCreate));
  EXPECT_FALSE(allowed(*fuzz, "/tmp/a", kExecute));
  EXPECT_TRUE(allowed(*fuzz, "/dev/urandom", kRead | kCharacterDevice));
  for (const char* path : {"/dev/full", "/dev/random", "/dev/tty", "/dev/kmsg"}) {
    EXPECT_FALSE(allowed(*fuzz, path, kRead | kCharacterDevice)) << path;
  }
  for (const char* secret : {"/etc/shadow", "/home/me/x", "/var/tmp/x", "/usr/bin/sh"}) {
    EXPECT_FALSE(allowed(*fuzz, secret, kRead)) << secret;
  }
  for (const char* system : {"/usr/lib/x.so", "/etc/ld.so.cache"}) {
    EXPECT_TRUE(allowed(*fuzz, system, kRead)) << system;
    EXPECT_FALSE(allowed(*fuzz, system, kWrite)) << system;
    EXPECT_FALSE(allowed(*fuzz, system, kExecute)) << system;
  }
  EXPECT_FALSE(connects(*fuzz, "127.0.0.1:80"));
  EXPECT_FALSE(connects(*fuzz, "unix:/run/x.sock"));
}

}  // namespace
}  // namespace torno::policy
