// torno/spawn.h: from a C file, and what is wrong with its arguments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <cerrno>

#include "tests/embedding/spawn_from_c.h"

namespace torno::embedding {
namespace {

using testing::HasSubstr;

class Spawn : public testing::Test {
 protected:
  ~Spawn() override { torno_spawn_options_free(options_); }
  void add(int what, const char* text) { EXPECT_EQ(torno_spawn_add(options_, what, text), 0); }
  void add_shell(const char* script) {
    for (const char* word : {"/bin/sh", "-c", script}) add(TORNO_ARGUMENT, word);
  }
  torno_spawned* start() { return torno_spawn(options_, error_.data(), error_.size()); }

  torno_spawn_options* options_ = torno_spawn_options_new();
  std::array<char, TORNO_SPAWN_ERROR_SIZE> error_{};
};

TEST_F(Spawn, WorksFromC) {
  std::array<char, 64> output{};
  std::array<char, 64> description{};
  torno_result result{};
  result.size = sizeof result;
  EXPECT_EQ(run_from_c("hello\n", output.data(), output.size(), &result, description.data(),
                       description.size()),
            1);
  EXPECT_STREQ(output.data(), "hello\n");
  EXPECT_EQ(result.how, TORNO_EXITED);
  EXPECT_EQ(result.number, 6);
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_STREQ(description.data(), "ended with status 6");
}

TEST_F(Spawn, SaysWhatIsWrong) {
  errno = 0;
  EXPECT_EQ(start(), nullptr);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_THAT(error_.data(), HasSubstr("arguments"));
  add(TORNO_ARGUMENT, "/nowhere/at/all");
  EXPECT_EQ(start(), nullptr);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(torno_spawn(nullptr, nullptr, 0), nullptr);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(Spawn, AWrongPolicySaysWhere) {
  add_shell("true");
  add(TORNO_POLICY_TEXT, "include: \"base\"\n");
  add(TORNO_POLICY_TEXT, "fil { }\n");
  EXPECT_EQ(start(), nullptr);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_THAT(error_.data(), HasSubstr("<policy>:2:"));
  // What does not fit is cut off.
  std::array<char, 8> few{};
  EXPECT_EQ(torno_spawn(options_, few.data(), few.size()), nullptr);
  EXPECT_STREQ(few.data(), std::string(error_.data(), few.size() - 1).c_str());
}

TEST_F(Spawn, WrongArgumentsAreEinval) {
  EXPECT_EQ(torno_spawn_add(options_, 99, "x"), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(torno_spawn_add(options_, TORNO_READ, nullptr), -1);
  EXPECT_EQ(torno_spawn_limit(options_, 99, 1), -1);
  EXPECT_EQ(torno_spawn_stream(options_, 3, TORNO_STREAM_PIPE, -1), -1);
  EXPECT_EQ(torno_spawn_stream(options_, 0, 99, -1), -1);
  torno_spawn_options_free(nullptr);
  torno_spawn_free(nullptr);
}

TEST_F(Spawn, KillsAndTellsOfIt) {
  add_shell("while :; do :; done");
  torno_spawned* program = start();
  ASSERT_NE(program, nullptr) << error_.data();
  torno_result result{};
  EXPECT_EQ(torno_wait(program, -1, &result), -1);
  EXPECT_EQ(errno, EINVAL) << "its size was not set";
  result.size = sizeof result;
  EXPECT_EQ(torno_wait(program, 0, &result), 0);
  EXPECT_EQ(torno_signal(program, 0), -1);
  EXPECT_EQ(torno_signal(program, SIGUSR1), 0);
  EXPECT_EQ(torno_wait(program, -1, &result), 1);
  EXPECT_EQ(result.how, TORNO_SIGNALLED);
  EXPECT_EQ(result.number, SIGUSR1);
  EXPECT_THAT(result.walls, HasSubstr("SECCOMP"));
  torno_kill(program);
  torno_spawn_free(program);
}

TEST_F(Spawn, WhoeverIsFreedIsDead) {
  add_shell("while :; do :; done");
  torno_spawned* program = start();
  ASSERT_NE(program, nullptr) << error_.data();
  const pid_t process = torno_spawn_pid(program);
  EXPECT_EQ(::kill(process, 0), 0);
  torno_spawn_free(program);
  EXPECT_EQ(::kill(process, 0), -1);
}

}  // namespace
}  // namespace torno::embedding
