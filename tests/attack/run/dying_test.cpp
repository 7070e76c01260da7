// Descriptors for processes that die while they get them: the launcher keeps none, and goes on.
// TORNO_RACE_ROUNDS sets how many die.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/cli/run_command.h"
#include "tests/support/processes.h"

namespace torno::test {
namespace {

using cli::RunCommand;

class AttackDying : public testing::TestWithParam<const char*> {
 protected:
  const cli::TemporaryDirectory directory_;
};

TEST_P(AttackDying, NoDescriptorIsLeft) {
  const char* const text = std::getenv("TORNO_RACE_ROUNDS");
  const std::string rounds = std::to_string((text != nullptr ? std::atoi(text) : 5000) / 10);
  const std::string file = directory_.write("file", "text");
  RunCommand command({"--policy",
                      directory_.write("dying.policy", "include: \"base\"\nfile { path: \"" + file +
                                                           "\" allow: READ }\n" + GetParam()),
                      "--", TORNO_BINARY_DIR "/tests/dying_opener", file, rounds});
  const auto kill_some = [&] {
    EXPECT_EQ(::write(command.input(), "\n", 1), 1);
    EXPECT_EQ(command.read_line(), "killed");
  };
  kill_some();
  const int before = count_fds(command.pid());
  if (before < 0) GTEST_SKIP() << "this kernel tells nobody the descriptors of a launcher";
  kill_some();
  EXPECT_TRUE(eventually([&] { return count_fds(command.pid()) <= before; }))
      << before << " before, " << count_fds(command.pid()) << " now";
  command.close_input();
  EXPECT_EQ(command.wait().status, 0);
}

INSTANTIATE_TEST_SUITE_P(Walls, AttackDying, testing::Values("", "wall: LANDLOCK\n"));

}  // namespace
}  // namespace torno::test
