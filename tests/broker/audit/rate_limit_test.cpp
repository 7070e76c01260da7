#include <gtest/gtest.h>

#include "broker/audit/audit.h"

namespace torno::audit {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

int admitted(RateLimit& limit, std::int64_t now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limit.admit(now) ? 1 : 0;
  return count;
}

TEST(RateLimitTest, LetsABurstThroughAndHoldsTheRestBack) {
  RateLimit limit;
  EXPECT_EQ(admitted(limit, kSecond, 1000), 100);
  EXPECT_EQ(limit.take_suppressed(), 900U);
  EXPECT_EQ(limit.take_suppressed(), 0U);
}

TEST(RateLimitTest, ThenLetsASteadyRateThrough) {
  RateLimit limit;
  admitted(limit, kSecond, 1000);
  for (int second = 2; second < 10; ++second) {
    EXPECT_EQ(admitted(limit, second * kSecond, 1000), 20);
  }
}

TEST(RateLimitTest, AFloodInBetweenDelaysNothing) {
  RateLimit limit;
  admitted(limit, kSecond, 1000);
  int count = 0;
  for (std::int64_t now = kSecond; now < 2 * kSecond; now += kSecond / 1000) {
    count += admitted(limit, now, 1);
  }
  EXPECT_EQ(count, 19);
}

TEST(RateLimitTest, NeverSavesUpMoreThanABurst) {
  RateLimit limit;
  admitted(limit, kSecond, 1000);
  EXPECT_EQ(admitted(limit, 100'000 * kSecond, 1000), 100);
}

}  // namespace
}  // namespace torno::audit
