#include "broker/session/turns.h"

#include <gtest/gtest.h>

namespace torno::session {
namespace {

constexpr pid_t kGreedy = 1;
constexpr pid_t kOther = 2;
constexpr pid_t kThird = 3;

class TurnsTest : public testing::Test {
 protected:
  void add(pid_t peer, int count) {
    for (int i = 0; i < count; ++i) turns_.add(peer, &peers_[peer]);
  }
  // Whose item it was; 0: none may start.
  pid_t take() {
    const pid_t* item = turns_.take();
    return item != nullptr ? *item : 0;
  }

  const pid_t peers_[4] = {0, 1, 2, 3};
  Turns<const pid_t*> turns_{{.shared = 4, .reserved = 1, .most = 6}};
};

TEST_F(TurnsTest, AGreedyPeerLeavesEveryOtherItsReserve) {
  add(kGreedy, 6);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(), kGreedy);
  EXPECT_EQ(take(), 0);
  add(kOther, 2);
  EXPECT_EQ(take(), kOther);
  EXPECT_EQ(take(), 0) << "no more than its reserve";
  turns_.done(kOther);
  EXPECT_EQ(take(), kOther) << "and that again and again";
  add(kThird, 1);
  EXPECT_EQ(take(), kThird);
}

TEST_F(TurnsTest, ThereIsAnEndOfReserves) {
  add(kGreedy, 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(), kGreedy);
  add(kOther, 1);
  add(kThird, 1);
  EXPECT_EQ(take(), kOther);
  EXPECT_EQ(take(), kThird);
  constexpr pid_t kFourth = 0;
  add(kFourth, 1);
  EXPECT_EQ(turns_.take(), nullptr);
  turns_.open();
  EXPECT_EQ(turns_.take(), &peers_[kFourth]) << "at the end nobody is held back";
}

TEST_F(TurnsTest, WhoeverHasTheFewestIsNextThenWhoeverWaitedLongest) {
  add(kGreedy, 2);
  add(kThird, 1);
  add(kOther, 1);
  EXPECT_EQ(take(), kGreedy);
  EXPECT_EQ(take(), kThird);
  EXPECT_EQ(take(), kOther);
  EXPECT_EQ(take(), kGreedy);
}

TEST_F(TurnsTest, RemovesWhatWaits) {
  add(kOther, 1);
  EXPECT_EQ(turns_.of(kOther), 1U);
  EXPECT_TRUE(turns_.remove(kOther, &peers_[kOther]));
  EXPECT_EQ(turns_.of(kOther), 0U);
  EXPECT_FALSE(turns_.remove(kOther, &peers_[kOther]));
  EXPECT_EQ(take(), 0);
  add(kOther, 1);
  EXPECT_EQ(take(), kOther);
  EXPECT_FALSE(turns_.remove(kOther, &peers_[kOther])) << "it runs";
}

TEST_F(TurnsTest, ThreadsAreWantedForWhatMayStart) {
  for (std::size_t threads = 0; threads < 4; ++threads) {
    add(kGreedy, 1);
    EXPECT_FALSE(turns_.wants_thread(kGreedy, threads + 1));
    EXPECT_TRUE(turns_.wants_thread(kGreedy, threads));
    EXPECT_EQ(take(), kGreedy);
  }
  add(kGreedy, 1);
  EXPECT_FALSE(turns_.wants_thread(kGreedy, 4));
  add(kOther, 1);
  EXPECT_TRUE(turns_.wants_thread(kOther, 4));
  EXPECT_FALSE(turns_.wants_thread(kOther, 6));
}

}  // namespace
}  // namespace torno::session
