// torno::Sandbox: how a program ends, by itself, by its limits, and by its host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/embedding/running.h"
#include "tests/support/temporary_directory.h"

namespace torno::embedding {
namespace {

using testing::HasSubstr;
using How = Sandbox::How;

constexpr const char* kForEver = "while :; do :; done";

TEST(EmbeddingEnd, TellsStatusAndSignal) {
  const auto exited = must_start(shell("exit 7")).wait();
  EXPECT_EQ(exited.how, How::kExited);
  EXPECT_EQ(exited.number, 7);
  EXPECT_EQ(exited.exit_code, 7);
  const auto killed = must_start(shell("kill -s USR1 $$")).wait();
  EXPECT_EQ(killed.how, How::kSignalled);
  EXPECT_EQ(killed.number, SIGUSR1);
  EXPECT_EQ(killed.exit_code, 128 + SIGUSR1);
  EXPECT_THAT(killed.description, HasSubstr("SIGUSR1"));
}

TEST(EmbeddingEnd, ASignalIsThePrograms) {
  Sandbox sandbox = must_start(shell("trap 'exit 3' TERM; echo ready; " + std::string(kForEver)));
  char letter = 0;
  while (::read(sandbox.output(), &letter, 1) == 1 && letter != '\n') {
  }
  sandbox.signal(SIGTERM);
  EXPECT_EQ(sandbox.wait().exit_code, 3);
}

TEST(EmbeddingEnd, ARefusedCallIsNamed) {
  Sandbox::Options options = shell("umask 0; cd /");
  options.policy_text = "include: \"base\"\nsyscall { name: \"umask\" action: KILL }\n";
  const auto result = must_start(options).wait();
  EXPECT_EQ(result.how, How::kRefusedCall) << result.description;
  EXPECT_THAT(result.description, HasSubstr("umask"));
}

TEST(EmbeddingEnd, WallTimeIsTheSmallerOfTwo) {
  Sandbox::Options options = shell(kForEver);
  options.policy_text = "include: \"base\"\nlimit { wall_time: \"1h\" }\n";
  options.limits.wall_time = std::chrono::seconds(1);
  const auto by_caller = must_start(options).wait();
  EXPECT_EQ(by_caller.how, How::kTimedOut) << by_caller.description;
  options.policy_text = "include: \"base\"\nlimit { wall_time: \"1s\" }\n";
  options.limits.wall_time = std::chrono::hours(1);
  const auto by_policy = must_start(options).wait();
  EXPECT_EQ(by_policy.how, How::kTimedOut) << by_policy.description;
}

TEST(EmbeddingEnd, OtherLimitsAreTheProgramsToo) {
  Sandbox::Options options = shell("ulimit -n");
  options.limits.open_files = 17;
  Sandbox files = must_start(options);
  EXPECT_EQ(output_of(files), "17\n");

  options = shell(kForEver);
  options.limits.cpu_time = std::chrono::seconds(1);
  const auto time = must_start(options).wait();
  EXPECT_EQ(time.how, How::kSignalled) << time.description;

  options = shell("(echo a child)");
  options.error = Sandbox::Stream::null();
  options.limits.processes = 1;
  Sandbox alone = must_start(options);
  EXPECT_EQ(output_of(alone), "");
  EXPECT_NE(alone.wait().exit_code, 0);
}

TEST(EmbeddingEnd, WhatItWritesEndsAtItsFileSize) {
  const test::TemporaryDirectory directory;
  const std::string script =
      "i=0; while [ $i -lt 100 ]; do echo 0123456789 || exit 9; i=$((i+1)); "
      "done > " +
      directory.path() + "/file";
  Sandbox::Options options = shell(script);
  options.write = {directory.path()};
  EXPECT_EQ(must_start(options).wait().exit_code, 0) << "the positive control";
  options.limits.file_size = 500;
  options.error = Sandbox::Stream::null();
  EXPECT_NE(must_start(options).wait().exit_code, 0);
}

TEST(EmbeddingEnd, MemoryIsBounded) {
  const std::string grow =
      "x=0123456789abcdef; i=0; while [ $i -lt 22 ]; do x=$x$x; i=$((i+1)); done; echo grown";
  Sandbox free = must_start(shell(grow));
  EXPECT_EQ(output_of(free), "grown\n") << "the positive control";
  Sandbox::Options options = shell(grow);
  options.error = Sandbox::Stream::null();
  options.limits.memory = std::uint64_t{48} << 20U;
  Sandbox bound = must_start(options);
  EXPECT_EQ(output_of(bound), "");
  EXPECT_NE(bound.wait().exit_code, 0);
}

// All of them hold the pipe.
TEST(EmbeddingEnd, WhoeverIsLeftDiesWithTheSandbox) {
  int output = -1;
  {
    Sandbox sandbox = must_start(
        shell("(trap '' TERM HUP; " + std::string(kForEver) + ") & echo up; " + kForEver));
    output = sandbox.take_output();
    char letter = 0;
    while (::read(output, &letter, 1) == 1 && letter != '\n') {
    }
  }
  EXPECT_EQ(read_all(output), "");
  ::close(output);
}

}  // namespace
}  // namespace torno::embedding
