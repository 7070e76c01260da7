#include "broker/session/quota.h"

#include <gtest/gtest.h>

namespace torno::session {
namespace {

std::size_t take_all(Quota& quota, pid_t peer) {
  std::size_t taken = 0;
  while (quota.take_channel(peer)) ++taken;
  return taken;
}

TEST(QuotaTest, AGreedyPeerLeavesHalf) {
  Quota quota(400);
  ASSERT_TRUE(quota.take_session(1));
  EXPECT_EQ(take_all(quota, 1), 99U);
  ASSERT_TRUE(quota.take_session(2));
  EXPECT_GE(take_all(quota, 2), 45U);
  ASSERT_TRUE(quota.take_session(3)) << "something is left for the next";
}

// Which is no bound on a program that has many processes connect.
TEST(QuotaTest, EachLeavesHalfOfWhatItFound) {
  Quota quota(400);
  std::size_t left = 200;
  for (pid_t peer = 1; left > 0; ++peer) {
    ASSERT_TRUE(quota.take_session(peer));
    const std::size_t taken = 1 + take_all(quota, peer);
    EXPECT_EQ(taken, (left + 1) / 2);
    left -= taken;
  }
  EXPECT_FALSE(quota.take_session(100));
}

TEST(QuotaTest, WhatIsGivenBackMayBeTaken) {
  Quota quota(8);
  ASSERT_TRUE(quota.take_session(1));
  ASSERT_TRUE(quota.take_channel(1));
  EXPECT_FALSE(quota.take_channel(1));
  quota.give_channel(1);
  EXPECT_TRUE(quota.take_channel(1));
}

TEST(QuotaTest, NoChannelWithoutASession) {
  Quota quota(8);
  EXPECT_FALSE(quota.take_channel(1));
}

}  // namespace
}  // namespace torno::session
