// torno run: what the program gets of its caller, and that nothing of it stays.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "tests/cli/run_command.h"
#include "tests/support/processes.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RunProcess, InputAndOutputPassWhole) {
  constexpr std::size_t kSize = 10 << 20;
  std::string sent(kSize, '\0');
  for (std::size_t i = 0; i < kSize; ++i) sent[i] = static_cast<char>((i * 7919) >> 3);
  RunCommand command({"--", "/bin/cat"});
  std::thread writer([&command, &sent] {
    for (std::size_t at = 0; at < sent.size();) {
      const ssize_t put = ::write(command.input(), sent.data() + at, sent.size() - at);
      if (put <= 0) break;
      at += static_cast<std::size_t>(put);
    }
    command.close_input();
  });
  const Said said = command.wait();
  writer.join();
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.err, "");
  EXPECT_TRUE(said.out == sent) << said.out.size() << " bytes";
}

TEST(RunProcess, StandardErrorIsTheCallers) {
  const Said said = run({"--", "sh", "-c", "echo out; echo err >&2"});
  EXPECT_EQ(said.out, "out\n");
  EXPECT_EQ(said.err, "err\n");
}

// The program ends as it would outside when nobody reads what it says.
TEST(RunProcess, AReaderThatLeavesEndsTheProgram) {
  const Said said = run({"--policy", "bash", "--", "sh", "-c", "seq 1 1000000 | head -n 1"});
  EXPECT_EQ(said.out, "1\n");
  EXPECT_EQ(said.err, "");
}

TEST(RunProcess, SignalsAreTheProgramsToTake) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    RunCommand command({"--", "sh", "-c", "echo ready; read line; exit 0"});
    ASSERT_EQ(command.read_line(), "ready");
    command.signal(signal);
    EXPECT_EQ(command.wait().status, 128 + signal);
  }
  RunCommand command({"--", "sh", "-c", "trap 'echo taken; exit 7' TERM; echo ready; read line"});
  ASSERT_EQ(command.read_line(), "ready");
  command.signal(SIGTERM);
  const Said said = command.wait();
  EXPECT_EQ(said.status, 7);
  EXPECT_EQ(said.out, "taken\n");
  EXPECT_EQ(said.err, "");
}

// Has a child that stays and holds the output, in a session of its own and deaf to signals.
RunCommand start_with_child() {
  return RunCommand({"--policy", "bash", "--", "sh", "-c",
                     "setsid sh -c 'trap \"\" HUP TERM INT; echo ready; exec sleep 1000' & "
                     "read line"});
}

TEST(RunProcess, ChildrenEndWithTheProgram) {
  RunCommand command = start_with_child();
  ASSERT_EQ(command.read_line(), "ready");
  EXPECT_FALSE(command.is_output_closed());
  command.close_input();
  EXPECT_EQ(command.wait_for_exit(), 1);
  // Without waiting: when torno run has ended they are gone.
  EXPECT_TRUE(command.is_output_closed());
}

TEST(RunProcess, ChildrenEndWithTornoItself) {
  for (const int signal : {SIGKILL, SIGTERM}) {
    RunCommand command = start_with_child();
    ASSERT_EQ(command.read_line(), "ready");
    command.signal(signal);
    EXPECT_EQ(command.wait_for_exit(), 128 + signal);
    EXPECT_TRUE(test::eventually([&command] { return command.is_output_closed(); }));
  }
}

TEST(RunProcess, TheCurrentFolderIsTheCallers) {
  const TemporaryDirectory directory;
  const Said said = run({"--read", ".", "--", "/bin/pwd", "-P"}, [&directory] {
    if (::chdir(directory.path().c_str()) != 0) ::_exit(98);
  });
  EXPECT_EQ(said.out, directory.path() + "\n") << said.err;
}

TEST(RunProcess, TheUmaskIsTheCallers) {
  const TemporaryDirectory directory;
  for (const mode_t mask : {0U, 027U, 077U}) {
    const std::string made = directory.path("made" + std::to_string(mask));
    const Said said = run({"--write", made, "--", "sh", "-c", "umask; echo x > \"$0\"", made},
                          [mask] { ::umask(mask); });
    char text[8];
    std::snprintf(text, sizeof text, "%04o\n", mask);
    EXPECT_EQ(said.out, text) << said.err;
    struct stat status{};
    ASSERT_EQ(::stat(made.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0666 & ~mask);
  }
}

TEST(RunProcess, InheritedDescriptorsAreClosed) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const auto open_seven = [&file] { ::dup2(::open(file.c_str(), O_RDONLY), 7); };
  const Said said = run({"--", "sh", "-c", "read line <&7 && echo \"$line\""}, open_seven);
  EXPECT_EQ(said.out, "");
  EXPECT_NE(said.status, 0);
}

TEST(RunProcess, TheEnvironmentIsTheCallersWithoutTheLoadersAndTornosOwn) {
  const Variable kept("KEPT", "a value");
  const Variable preload("LD_LIBRARY_PATH", "/tmp/hostile");
  const Variable tunables("GLIBC_TUNABLES", "glibc.malloc.check=3");
  const Variable torno("TORNO_FD", "77");
  const Variable policies("TORNO_POLICY_PATH", TORNO_SOURCE_DIR "/policies");
  const Said said = run({"--", "/usr/bin/env"});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("KEPT=a value\n"));
  EXPECT_THAT(said.out, HasSubstr("PATH="));
  EXPECT_THAT(said.out, Not(HasSubstr("LD_LIBRARY_PATH")));
  EXPECT_THAT(said.out, Not(HasSubstr("GLIBC_TUNABLES")));
  EXPECT_THAT(said.out, Not(HasSubstr("TORNO_")));
}

TEST(RunProcess, EnvAddsReplacesAndKeeps) {
  const Variable kept("KEPT", "a value");
  const Variable replaced("REPLACED", "old");
  const Variable library("LD_LIBRARY_PATH", "/tmp/named");
  const Said said =
      run({"--env", "ADDED=x=y z", "--env", "REPLACED=new", "--env", "LD_LIBRARY_PATH", "--env",
           "ABSENT_HERE", "--env", "EMPTY=", "--", "/usr/bin/env"});
  EXPECT_EQ(said.status, 0) << said.err;
  for (const char* line : {"KEPT=a value\n", "ADDED=x=y z\n", "REPLACED=new\n", "EMPTY=\n",
                           "LD_LIBRARY_PATH=/tmp/named\n"}) {
    EXPECT_THAT(said.out, HasSubstr(line));
  }
  EXPECT_THAT(said.out, Not(HasSubstr("old")));
  EXPECT_THAT(said.out, Not(HasSubstr("ABSENT_HERE")));
}

TEST(RunProcess, AFurtherSignalEndsWhoIgnoresTheFirst) {
  RunCommand command({"--", "/bin/sh", "-c", "trap '' TERM; echo ready; while :; do :; done"});
  EXPECT_EQ(command.read_line(), "ready");
  // The kernel makes one of two that come at once.
  EXPECT_TRUE(test::eventually([&command] {
    command.signal(SIGTERM);
    return command.is_output_closed();
  }));
  EXPECT_EQ(command.wait().status, 137);
}

}  // namespace
}  // namespace torno::cli
