// Many sandboxes in one process, from several threads, and nothing left of them.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/embedding/running.h"
#include "tests/support/processes.h"

namespace torno::embedding {
namespace {

TEST(EmbeddingMany, AtOnceInOneProcess) {
  constexpr int kMany = 32;
  std::vector<Sandbox> sandboxes;
  for (int i = 0; i < kMany; ++i) {
    Sandbox::Options options = shell("read word; echo " + std::to_string(i));
    options.input = Sandbox::Stream::pipe();
    sandboxes.push_back(must_start(options));
  }
  for (Sandbox& sandbox : sandboxes) EXPECT_FALSE(sandbox.wait_for(std::chrono::milliseconds(0)));
  for (int i = 0; i < kMany; ++i) {
    Sandbox& sandbox = sandboxes[static_cast<std::size_t>(i)];
    sandbox.close_input();
    EXPECT_EQ(output_of(sandbox), std::to_string(i) + "\n");
    EXPECT_EQ(sandbox.wait().exit_code, 0);
  }
}

TEST(EmbeddingMany, FromSeveralThreads) {
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&right, i] {
        for (int turn = 0; turn < 4; ++turn) {
          Sandbox sandbox = must_start(shell("echo " + std::to_string(i)));
          right += output_of(sandbox) == std::to_string(i) + "\n" && sandbox.wait().exit_code == 0;
        }
      });
    }
  }
  EXPECT_EQ(right, 32);
}

TEST(EmbeddingMany, LeaveNoDescriptor) {
  const auto run = [] {
    Sandbox::Options options = shell("read word; echo $word > /dev/null; cd /");
    options.input = options.error = Sandbox::Stream::pipe();
    must_start(options).wait_for(std::chrono::milliseconds(0));
  };
  run();
  const int before = test::count_fds(::getpid());
  for (int i = 0; i < 200; ++i) run();
  // What a closer's thread has is closed in its own time.
  EXPECT_TRUE(test::eventually([&] { return test::count_fds(::getpid()) <= before; }))
      << test::count_fds(::getpid()) << " after " << before;
}

// A copy of this process has copies of every descriptor that there was at that moment.
TEST(EmbeddingMany, ForksOfTheHostMeanwhileDoNoHarm) {
  std::atomic<bool> goes_on = true;
  std::vector<pid_t> forked;
  std::thread forks([&] {
    while (goes_on && forked.size() < 400) {
      const pid_t child = test::fork_alone();
      if (child == 0) {
        for (;;) ::pause();
      }
      forked.push_back(child);
    }
  });
  for (int i = 0; i < 10; ++i) {
    Sandbox::Options options = shell("exit 5");
    options.output = Sandbox::Stream::null();
    EXPECT_EQ(must_start(options).wait().exit_code, 5);
  }
  goes_on = false;
  forks.join();
  for (const pid_t child : forked) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

}  // namespace
}  // namespace torno::embedding
