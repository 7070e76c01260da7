#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "broker/session/limits.h"
#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::RawPeer;
using testing::HasSubstr;

class Narrow : public Served {
 protected:
  std::optional<RawPeer::Answer> narrow(const std::string& policy) const {
    wire::ClientMessage message = test::request_message(5, policy);
    message.mutable_request()->mutable_narrow();
    return channel_.ask(message);
  }
  int narrowing_fails(const std::string& policy) const {
    const auto answer = narrow(policy);
    EXPECT_TRUE(answer && answer->fds.empty());
    return answer ? answer->message.reply().result() : 0;
  }
  int open_result(unsigned long flags) const {
    const auto answer = channel_.ask(test::open_message(1, path("file"), flags));
    return answer ? answer->message.reply().result() : -1;
  }

  const RawPeer peer_ = sealed();
  const RawPeer channel_ = peer_.new_channel();
};

TEST_F(Narrow, IntersectsFromThenOn) {
  EXPECT_EQ(open_result(O_RDWR), 0);
  const auto answer = narrow("reader");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message.reply().result(), 0);
  EXPECT_EQ(answer->message.reply().narrowed().policy(), "reader");
  EXPECT_FALSE(answer->fds.empty());
  EXPECT_EQ(open_result(O_RDONLY), 0);
  EXPECT_EQ(open_result(O_RDWR), -EACCES);
  EXPECT_TRUE(tornod_.wait_for_log("policy=all+reader"));
}

TEST_F(Narrow, NeverWidens) {
  ASSERT_TRUE(narrow("reader"));
  ASSERT_TRUE(narrow("all"));
  EXPECT_EQ(open_result(O_RDWR), -EACCES);
  ASSERT_TRUE(narrow("nothing"));
  EXPECT_EQ(open_result(O_RDONLY), -EACCES);
}

// Each one costs the broker the reading of a policy.
TEST_F(Narrow, FailuresHaveABound) {
  for (int i = 0; i < kMaxNarrowFailures; ++i) EXPECT_NE(narrowing_fails("typo"), 0);
  EXPECT_EQ(open_result(O_RDONLY), 0);
  EXPECT_FALSE(narrow("typo"));
  EXPECT_TRUE(peer_.wait_for_end());
}

TEST_F(Narrow, LeavesOtherSessionsAlone) {
  ASSERT_TRUE(narrow("nothing"));
  expect_serves(sealed().new_channel());
}

TEST_F(Narrow, TakesNamesOnlyAndChangesNothingWhenItFails) {
  EXPECT_EQ(narrowing_fails("nosuch"), -ENOENT);
  EXPECT_EQ(narrowing_fails("typo"), -EINVAL);
  EXPECT_EQ(narrowing_fails(files_.write("x.policy", "")), -EINVAL);
  EXPECT_EQ(narrowing_fails("../policies/reader"), -EINVAL);
  EXPECT_EQ(narrowing_fails(""), -EINVAL);
  EXPECT_EQ(open_result(O_RDWR), 0);
}

TEST_F(Narrow, HasABound) {
  for (std::size_t i = 1; i < kMaxStackedPolicies; ++i) {
    const auto answer = narrow("reader");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->message.reply().result(), 0);
  }
  EXPECT_EQ(narrowing_fails("reader"), -E2BIG);
}

// What a peer that names the same policy in its Hello is told, and no more.
TEST_F(Narrow, AFailureSaysWhy) {
  const auto why = [&](const std::string& policy) {
    const auto answer = narrow(policy);
    return answer ? answer->message.reply().message() : "no answer";
  };
  const auto refused = [&](const std::string& policy) {
    const auto answer = connect().hello(policy);
    return answer ? answer->message.refused().message() : "no answer";
  };
  EXPECT_THAT(why("typo"), HasSubstr("typo.policy:2:3: error: unknown field 'pth'"));
  EXPECT_EQ(why("typo"), refused("typo"));
  EXPECT_THAT(why("nosuch"), HasSubstr("no policy 'nosuch'"));
  EXPECT_TRUE(tornod_.wait_for_log("no policy 'nosuch'"));
  EXPECT_EQ(why("nosuch"), refused("nosuch"));
  EXPECT_THAT(why("../x"), HasSubstr("'../x' is no policy's name"));
  EXPECT_TRUE(tornod_.wait_for_log("'../x' is no policy's name"));
  // The name is the attacker's: bounded, and one line.
  std::string name = "\n\x1b[2J/";
  name.append(4000, '\xff');
  const std::string hostile = why(name);
  EXPECT_THAT(hostile, HasSubstr("'\\x0a\\x1b[2J/"));
  EXPECT_LE(hostile.size(), kMaxRefusal);
}

TEST_F(Narrow, SaysThatThereAreTooMany) {
  for (std::size_t i = 1; i < kMaxStackedPolicies; ++i) ASSERT_TRUE(narrow("reader"));
  // That is no sign of guessing, however often it is tried.
  for (int i = 0; i <= kMaxNarrowFailures; ++i) {
    const auto answer = narrow("reader");
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->message.reply().message(), HasSubstr("at most 16 policies"));
  }
  EXPECT_TRUE(tornod_.wait_for_log("at most 16 policies"));
}

}  // namespace
}  // namespace torno::session
