// The Landlock ruleset that comes with a Welcome: whoever holds it may add rules to it, and a peer
// of a shared broker is hostile before its seal too.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "tests/attack/scene.h"
#include "tests/support/raw_peer.h"

namespace torno::test {
namespace {

// Has the ruleset let everything be read that lies beneath the directory.
bool widen(int ruleset, const std::string& directory) {
  const Fd parent(::open(directory.c_str(), O_PATH | O_CLOEXEC));
  landlock_path_beneath_attr rule{};
  rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
  rule.parent_fd = parent.get();
  return ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool enter(int ruleset) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

class AttackRuleset : public testing::Test {
 protected:
  void SetUp() override {
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
      GTEST_SKIP() << "this kernel has no Landlock";
    }
  }

  // The ruleset that a new session of the same policy is given; not valid without one.
  Fd received() const {
    const RawPeer peer = RawPeer::connect(scene_.broker().socket_path());
    auto welcome = peer.hello("scene");
    EXPECT_TRUE(welcome && welcome->fds.size() == 2);
    return welcome && welcome->fds.size() == 2 ? std::move(welcome->fds[1]) : Fd();
  }

  const Scene scene_;
};

TEST_F(AttackRuleset, RulesAddedToItReachNoOtherSession) {
  const std::string key = scene_.path("secret/key");
  const Fd before = received();
  const Fd hostile = received();
  const auto reads_under = [&](const Fd& ruleset) {
    return scene_.free([&] { return enter(ruleset.get()) && reads_secret(key); });
  };
  EXPECT_EQ(reads_under(hostile), Ended::kRefused);
  ASSERT_TRUE(widen(hostile.get(), scene_.path("secret")));
  EXPECT_EQ(reads_under(hostile), Ended::kSucceeded);
  EXPECT_EQ(reads_under(before), Ended::kRefused);
  EXPECT_EQ(reads_under(received()), Ended::kRefused);
}

}  // namespace
}  // namespace torno::test
