#include "broker/session/slow_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "broker/session/limits.h"
#include "tests/support/processes.h"
#include "tests/support/temporary_directory.h"

namespace torno::session {
namespace {

using test::eventually;

class SlowPoolTest : public testing::Test {
 protected:
  SlowPoolTest() : fifo_(directory_.path() + "/fifo") { ::mkfifo(fifo_.c_str(), 0600); }

  // Opens the FIFO for reading: waits until there is a writer.
  SlowPool::Work open_fifo(std::atomic<int>& error) {
    return [this, &error](bool cancelled) {
      if (cancelled) {
        error = ECANCELED;
        return;
      }
      const int fd = ::open(fifo_.c_str(), O_RDONLY | O_CLOEXEC);
      error = fd >= 0 ? 0 : errno;
      if (fd >= 0) ::close(fd);
    };
  }

  test::TemporaryDirectory directory_;
  const std::string fifo_;
};

constexpr int kNotYet = -1;
constexpr pid_t kPeer = 1000;

TEST_F(SlowPoolTest, RunsWhatItIsGiven) {
  SlowPool pool;
  std::atomic<int> runs = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(pool.submit(kPeer, [&runs](bool) { ++runs; }), nullptr);
  }
  EXPECT_TRUE(eventually([&] { return runs == 100; }));
}

TEST_F(SlowPoolTest, ABlockedJobDelaysNoOther) {
  SlowPool pool;
  std::atomic<int> blocked = kNotYet;
  std::atomic<bool> other = false;
  ASSERT_NE(pool.submit(kPeer, open_fifo(blocked)), nullptr);
  ASSERT_NE(pool.submit(kPeer, [&other](bool) { other = true; }), nullptr);
  EXPECT_TRUE(eventually([&] { return other.load(); }));
  EXPECT_EQ(blocked, kNotYet);
  const int writer = ::open(fifo_.c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_TRUE(eventually([&] { return blocked == 0; }));
  ::close(writer);
}

TEST_F(SlowPoolTest, CancelInterrupts) {
  SlowPool pool;
  std::vector<std::atomic<int>> errors(8);
  std::vector<std::shared_ptr<SlowPool::Job>> jobs;
  for (auto& error : errors) {
    error = kNotYet;
    jobs.push_back(pool.submit(kPeer, open_fifo(error)));
  }
  for (std::size_t i = 0; i < jobs.size(); i += 2) pool.cancel(jobs[i]);
  for (std::size_t i = 0; i < jobs.size(); i += 2) {
    EXPECT_TRUE(eventually([&] { return errors[i] != kNotYet; }));
    EXPECT_TRUE(errors[i] == EINTR || errors[i] == ECANCELED);
    EXPECT_EQ(errors[i + 1], kNotYet);
  }
  EXPECT_TRUE(pool.drain(std::chrono::minutes(1)));
}

TEST_F(SlowPoolTest, APeerHasABound) {
  SlowPool pool;
  std::vector<std::atomic<int>> errors(kMaxPeerSlowRequests + 1);
  for (auto& error : errors) error = kNotYet;
  for (std::size_t i = 0; i < kMaxPeerSlowRequests; ++i) {
    ASSERT_NE(pool.submit(kPeer, open_fifo(errors[i])), nullptr) << i;
  }
  EXPECT_EQ(pool.submit(kPeer, open_fifo(errors.back())), nullptr);
  EXPECT_TRUE(pool.drain(std::chrono::minutes(1)));
  EXPECT_EQ(errors.back(), kNotYet);
}

// Peers that open FIFOs nobody writes to leave every other its reserve, and no more.
TEST_F(SlowPoolTest, AnotherPeerHasItsReserve) {
  SlowPool pool;
  std::atomic<int> error = kNotYet;
  std::atomic<std::size_t> hostile_began = 0;
  constexpr std::size_t kHostile = kSharedSlowThreads / kMaxPeerSlowRequests;
  for (std::size_t i = 0; i < kSharedSlowThreads; ++i) {
    const pid_t hostile = kPeer + 1 + static_cast<pid_t>(i % kHostile);
    ASSERT_NE(pool.submit(hostile,
                          [&, open = open_fifo(error)](bool cancelled) mutable {
                            ++hostile_began;
                            open(cancelled);
                          }),
              nullptr);
  }
  ASSERT_TRUE(eventually([&] { return hostile_began == kSharedSlowThreads; }));
  std::atomic<std::size_t> began = 0;
  std::vector<std::shared_ptr<SlowPool::Job>> jobs;
  std::vector<std::atomic<int>> errors(kReservedSlowThreads + 1);
  for (auto& each : errors) {
    each = kNotYet;
    jobs.push_back(pool.submit(kPeer, [&, open = open_fifo(each)](bool cancelled) mutable {
      ++began;
      open(cancelled);
    }));
    ASSERT_NE(jobs.back(), nullptr);
  }
  EXPECT_TRUE(eventually([&] { return began == kReservedSlowThreads; }));
  // Positive control: the last one waits for one of its own to end. It can be cancelled meanwhile.
  EXPECT_EQ(errors.back(), kNotYet);
  pool.cancel(jobs.back());
  EXPECT_EQ(errors.back(), ECANCELED);

  std::atomic<bool> ran = false;
  ASSERT_NE(pool.submit(kPeer, [&ran](bool cancelled) { ran = !cancelled; }), nullptr);
  pool.cancel(jobs.front());
  EXPECT_TRUE(eventually([&] { return ran.load(); }));
  EXPECT_TRUE(pool.drain(std::chrono::minutes(1)));
}

TEST_F(SlowPoolTest, AJobMayHaveATime) {
  SlowPool pool;
  std::atomic<int> timed = kNotYet;
  std::atomic<int> untimed = kNotYet;
  ASSERT_NE(pool.submit(kPeer, open_fifo(untimed)), nullptr);
  ASSERT_NE(pool.submit(kPeer, open_fifo(timed), std::chrono::milliseconds(10)), nullptr);
  EXPECT_TRUE(eventually([&] { return timed == EINTR; }));
  EXPECT_EQ(untimed, kNotYet) << "positive control";
}

TEST_F(SlowPoolTest, TakesNothingAfterItsEnd) {
  SlowPool pool;
  EXPECT_TRUE(pool.drain(std::chrono::minutes(1)));
  EXPECT_EQ(pool.submit(kPeer, [](bool) {}), nullptr);
}

}  // namespace
}  // namespace torno::session
