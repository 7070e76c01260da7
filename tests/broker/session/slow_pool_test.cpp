#include "broker/session/slow_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

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

TEST_F(SlowPoolTest, RunsWhatItIsGiven) {
  SlowPool pool;
  std::atomic<int> runs = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(pool.submit([&runs](bool) { ++runs; }), nullptr);
  }
  EXPECT_TRUE(eventually([&] { return runs == 100; }));
}

TEST_F(SlowPoolTest, ABlockedJobDelaysNoOther) {
  SlowPool pool;
  std::atomic<int> blocked = kNotYet;
  std::atomic<bool> other = false;
  ASSERT_NE(pool.submit(open_fifo(blocked)), nullptr);
  ASSERT_NE(pool.submit([&other](bool) { other = true; }), nullptr);
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
    jobs.push_back(pool.submit(open_fifo(error)));
  }
  for (std::size_t i = 0; i < jobs.size(); i += 2) pool.cancel(jobs[i]);
  for (std::size_t i = 0; i < jobs.size(); i += 2) {
    EXPECT_TRUE(eventually([&] { return errors[i] != kNotYet; }));
    EXPECT_TRUE(errors[i] == EINTR || errors[i] == ECANCELED);
    EXPECT_EQ(errors[i + 1], kNotYet);
  }
  EXPECT_TRUE(pool.drain(std::chrono::minutes(1)));
}

TEST_F(SlowPoolTest, HasABound) {
  SlowPool pool;
  std::vector<std::atomic<int>> errors(SlowPool::kMaxThreads + 1);
  for (auto& error : errors) error = kNotYet;
  for (std::size_t i = 0; i < SlowPool::kMaxThreads; ++i) {
    ASSERT_NE(pool.submit(open_fifo(errors[i])), nullptr) << i;
  }
  EXPECT_EQ(pool.submit(open_fifo(errors.back())), nullptr);
  EXPECT_TRUE(pool.drain(std::chrono::minutes(1)));
  EXPECT_EQ(errors.back(), kNotYet);
}

TEST_F(SlowPoolTest, TakesNothingAfterItsEnd) {
  SlowPool pool;
  EXPECT_TRUE(pool.drain(std::chrono::minutes(1)));
  EXPECT_EQ(pool.submit([](bool) {}), nullptr);
}

}  // namespace
}  // namespace torno::session
