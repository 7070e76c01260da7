// torno run: nobody outlives it, whoever is killed first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "broker/launch/cgroup_place.h"
#include "tests/cli/run_command.h"
#include "tests/support/processes.h"

namespace torno::cli {
namespace {

using test::eventually;
using testing::HasSubstr;

// A daemon that has left session and parent, beside its program: both hold standard output. It
// tells its number, which counts outside a pid namespace.
constexpr const char* kDaemon =
    "use POSIX; $| = 1; if (!fork) { POSIX::setsid(); exit if fork; print qq($$\\n); "
    "sleep 1000 while 1 } wait; sleep 1000 while 1";

pid_t child_of(pid_t parent) {
  const std::string number = std::to_string(parent);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

class RunLife : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> words(const std::string& policy) {
    return {"--policy", directory_.write("life.policy", "profile: NO_NETWORK\n" + policy),
            "--",       "/usr/bin/perl",
            "-e",       kDaemon};
  }
  TemporaryDirectory directory_;
};

// The positive control: started by itself, the daemon outlives who started it.
TEST_F(RunLife, ADaemonStaysWithoutTheSandbox) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t program = ::fork();
  if (program == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl("/usr/bin/perl", "perl", "-e", kDaemon, nullptr);
    ::_exit(99);
  }
  ::close(ends[1]);
  std::string line;
  char letter = 0;
  while (::read(ends[0], &letter, 1) == 1 && letter != '\n') line += letter;
  ::close(ends[0]);
  ::kill(program, SIGKILL);
  ::waitpid(program, nullptr, 0);
  ASSERT_NE(line, "");
  const pid_t daemon = std::stoi(line);
  EXPECT_EQ(::kill(daemon, 0), 0);
  ::kill(daemon, SIGKILL);
}

TEST_P(RunLife, EndsWithAKilledLauncher) {
  RunCommand command(words(GetParam()));
  ASSERT_NE(command.read_line(), "");
  command.signal(SIGKILL);
  command.wait_for_exit();
  EXPECT_TRUE(eventually([&] { return command.is_output_closed(); })) << "somebody is left";
}

TEST_P(RunLife, EndsWithAKilledInit) {
  RunCommand command(words(GetParam()));
  ASSERT_NE(command.read_line(), "");
  const pid_t init = child_of(command.pid());
  ASSERT_GT(init, 0);
  ASSERT_EQ(::kill(init, SIGKILL), 0);
  const Said said = command.wait();  // to the end of the output
  EXPECT_EQ(said.status, 125);
  EXPECT_THAT(said.err, HasSubstr("the process that watches the program died"));
}

INSTANTIATE_TEST_SUITE_P(Walls, RunLife,
                         testing::Values("", "wall: LANDLOCK\n",
                                         "wall: [LANDLOCK, CGROUP]\nlimit { memory: \"1G\" }\n"));

// A launcher that is killed cannot remove its cgroup; the next one does, and in parallel that may
// be another test's.
TEST_F(RunLife, AnEmptyCgroupIsRemovedByTheNext) {
  const auto places = launch::find_cgroup_places({launch::Controller::kMemory}, true);
  if (places.found.empty()) GTEST_SKIP() << places.missing;
  const std::string& parent = places.found.front().folder;
  const std::string policy = "limit { memory: \"1G\" }\n";
  RunCommand command(words(policy));
  ASSERT_NE(command.read_line(), "");
  const auto has_one = [&, prefix = "torno-" + std::to_string(command.pid()) + "-"] {
    for (const auto& entry : std::filesystem::directory_iterator(parent)) {
      if (entry.path().filename().string().starts_with(prefix)) return true;
    }
    return false;
  };
  ASSERT_TRUE(has_one());
  RunCommand other(words(policy));  // while its launcher lives it stays
  ASSERT_NE(other.read_line(), "");
  EXPECT_TRUE(has_one());
  command.signal(SIGKILL);
  command.wait_for_exit();
  EXPECT_TRUE(eventually([&] { return command.is_output_closed(); }));
  EXPECT_EQ(run({"--policy", directory_.path("life.policy"), "--", "/bin/true"}).status, 0);
  EXPECT_FALSE(has_one());
  other.signal(SIGTERM);
  other.wait();
}

// Launcher and init killed at once, and no pid namespace: nobody is there to end a daemon, until
// its cgroup is found.
TEST_F(RunLife, WhoIsLeftInACgroupIsEndedByTheNext) {
  const auto places = launch::find_cgroup_places({launch::Controller::kMemory}, true);
  if (places.found.empty()) GTEST_SKIP() << places.missing;
  RunCommand command(words("wall: [LANDLOCK, CGROUP]\nlimit { memory: \"1G\" }\n"));
  ASSERT_NE(command.read_line(), "");
  const pid_t init = child_of(command.pid());
  ASSERT_GT(init, 0);
  ASSERT_EQ(::kill(init, SIGSTOP), 0);
  command.signal(SIGKILL);
  command.wait_for_exit();
  ASSERT_EQ(::kill(init, SIGKILL), 0);
  EXPECT_EQ(run({"--policy", directory_.path("life.policy"), "--", "/bin/true"}).status, 0);
  EXPECT_TRUE(eventually([&] { return command.is_output_closed(); })) << "somebody is left";
}

}  // namespace
}  // namespace torno::cli
