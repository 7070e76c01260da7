// What would give a program more than it has: a set-user-ID file, and a terminal to type into.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "broker/base/fd.h"
#include "tests/programs/workplace.h"

namespace torno::test {
namespace {

using programs::Outcome;
using programs::Words;
using programs::Workplace;
using testing::HasSubstr;

class AttackSetId : public testing::TestWithParam<const char*> {
 protected:
  AttackSetId() : program_(place_.path("id")) {
    std::filesystem::copy_file("/usr/bin/id", program_);
    EXPECT_EQ(::chmod(place_.path().c_str(), 0755), 0);
    EXPECT_EQ(::chmod(program_.c_str(), 04755), 0);
  }
  Words options() const {
    return {"--policy",
            place_.write("set-id.policy", "profile: NO_NETWORK\nfile { path: \"" + program_ +
                                              "\" allow: [READ, EXECUTE] }\n" + GetParam())};
  }
  const Workplace place_;
  const std::string program_;
};

TEST_P(AttackSetId, IsNotStarted) {
  EXPECT_EQ(place_.outside({program_, "-u"}).status, 0);
  const Outcome inside = place_.inside(options(), {program_, "-u"});
  EXPECT_EQ(inside.status, 126);
  EXPECT_EQ(inside.out, "");
  EXPECT_THAT(inside.err, HasSubstr("set-user-ID"));
}

TEST_P(AttackSetId, GivesNothingToAnotherUser) {
  if (::getuid() != 0) GTEST_SKIP() << "only root makes programs of another user's";
  const Words drop = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  const auto as_nobody = [&](const Words& command) {
    Words words = drop;
    words.insert(words.end(), command.begin(), command.end());
    return place_.outside(words);
  };
  const Words program = {"/bin/sh", "-c", program_ + " -u; :"};
  const Outcome outside = as_nobody(program);
  if (outside.out == "65534\n") GTEST_SKIP() << "this file system is mounted nosuid";
  EXPECT_EQ(outside.out, "0\n") << outside.err;
  Words inside = {TORNO_BINARY_DIR "/bin/torno", "run"};
  for (const Words& part : {options(), Words{"--"}, program}) {
    inside.insert(inside.end(), part.begin(), part.end());
  }
  const Outcome got = as_nobody(inside);
  if (got.status == 127) GTEST_SKIP() << "nobody cannot read this build";
  EXPECT_EQ(got.out, "65534\n") << got.err;
}

INSTANTIATE_TEST_SUITE_P(Walls, AttackSetId, testing::Values("", "wall: LANDLOCK\n"));

class AttackTerminal : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  // The status of a command that has a terminal as its standard input, and as its own.
  static int on_a_terminal(const Words& command) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
    const Fd master(ends[0]);
    const Fd terminal(ends[1]);
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::setsid();
      if (::ioctl(terminal.get(), TIOCSCTTY, 0) != 0) ::_exit(90);
      ::dup2(terminal.get(), STDIN_FILENO);
      ::setenv("TORNO_POLICY_PATH", TORNO_SOURCE_DIR "/policies", 1);
      ::execv(argv[0], argv.data());
      ::_exit(91);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  static Words attacker(const char* attack) {
    const std::string kind = std::get<0>(GetParam());
    return {TORNO_BINARY_DIR "/tests/" + kind + "_attacker", attack, "/", "1", "0", "0"};
  }
  void expect_refused(const char* attack) const {
    Words inside = {TORNO_BINARY_DIR "/bin/torno", "run", "--policy",
                    place_.write("terminal.policy",
                                 std::string("profile: NO_NETWORK\n") + std::get<1>(GetParam())),
                    "--"};
    const Words command = attacker(attack);
    inside.insert(inside.end(), command.begin(), command.end());
    EXPECT_EQ(on_a_terminal(inside), 1) << attack;
  }
  const Workplace place_;
};

TEST_P(AttackTerminal, HasNone) {
  for (const char* attack : {"OwnTerminal", "TakeTerminal"}) {
    EXPECT_EQ(on_a_terminal(attacker(attack)), 0) << attack;
    expect_refused(attack);
  }
}

TEST_P(AttackTerminal, IsNotTypedInto) {
  expect_refused("TypeIntoTerminal");
  if (on_a_terminal(attacker("TypeIntoTerminal")) != 0) {
    GTEST_SKIP() << "dev.tty.legacy_tiocsti is 0: nobody types into terminals here";
  }
}

INSTANTIATE_TEST_SUITE_P(All, AttackTerminal,
                         testing::Combine(testing::Values("static", "dynamic"),
                                          testing::Values("", "wall: LANDLOCK\n")));

}  // namespace
}  // namespace torno::test
