// torno run: the root of the program's own, seen from outside, and what programs notice of it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "broker/base/fd.h"
#include "tests/cli/run_command.h"
#include "tests/support/mount_namespace.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kWaits = "echo $0; read -r line || true";

class RunRoot : public testing::Test {
 protected:
  // Has the program a mount namespace, and with it a root?
  bool has_root() {
    run({"--report", directory_.path("report"), "--", "/bin/true"});
    std::ifstream file(directory_.path("report"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return text.find("MOUNT_NAMESPACE") != std::string::npos;
  }

  // The program's root, for one that waits.
  static Fd root_of(const RunCommand& command) {
    const auto child_of = [](pid_t parent) {
      const std::string number = std::to_string(parent);
      std::ifstream children("/proc/" + number + "/task/" + number + "/children");
      pid_t child = 0;
      children >> child;
      return child;
    };
    const std::string number = std::to_string(child_of(child_of(command.pid())));
    return Fd(::open(("/proc/" + number + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }

  static bool has(const Fd& root, const char* path) {
    return ::faccessat(root.get(), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  }

  TemporaryDirectory directory_;
};

TEST_F(RunRoot, FromOutsideNothingButTheProgramIsThere) {
  if (!has_root()) GTEST_SKIP() << "this user has no mount namespace";
  RunCommand command({"--read", "/etc/passwd", "--", "/bin/sh", "-c", kWaits, "started"});
  ASSERT_EQ(command.read_line(), "started");
  const Fd root = root_of(command);
  ASSERT_TRUE(root);
  const Fd machine(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  EXPECT_TRUE(has(root, "bin/sh"));
  EXPECT_TRUE(has(root, "proc/2/status"));
  for (const char* path : {"etc", "etc/passwd", "tmp", "dev", "usr/bin/env"}) {
    EXPECT_TRUE(has(machine, path)) << path;  // positive control
    EXPECT_FALSE(has(root, path)) << path;
  }
  EXPECT_NE(::mkdirat(root.get(), "made", 0700), 0);
  EXPECT_TRUE(errno == EROFS) << errno;
  command.close_input();
  EXPECT_EQ(command.wait().status, 0);
}

TEST_F(RunRoot, WithExecuteRulesTheTreeIsThereAndReadOnly) {
  if (!has_root()) GTEST_SKIP() << "this user has no mount namespace";
  const std::string policy =
      directory_.write("execute.policy", "include: \"bash\"\nfile { path: \"" + directory_.path() +
                                             "/**\" allow: [READ, WRITE] }\n");
  const std::string file = directory_.write("file", "before");
  RunCommand command({"--policy", policy, "--", "/bin/sh", "-c", kWaits, "started"});
  ASSERT_EQ(command.read_line(), "started");
  const Fd root = root_of(command);
  ASSERT_TRUE(root);
  EXPECT_TRUE(has(root, "usr/bin/env"));
  EXPECT_LT(::openat(root.get(), file.c_str() + 1, O_WRONLY | O_CLOEXEC), 0);
  EXPECT_EQ(errno, EROFS);
  const Fd control(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(control);
  command.close_input();
  EXPECT_EQ(command.wait().status, 0);
  // The broker is not held to it: what the policy allows is done.
  EXPECT_EQ(
      run({"--policy", policy, "--", "/bin/sh", "-c", "/usr/bin/env echo after > \"$0\"", file})
          .status,
      0);
  std::ifstream changed(file);
  std::string text;
  changed >> text;
  EXPECT_EQ(text, "after");
}

TEST_F(RunRoot, ProgramsStartByWhateverNameTheyHave) {
  const std::string script =
      directory_.write("script", "#!/bin/sh\nread -r line < \"$0\"; echo \"$line\"\n");
  ASSERT_EQ(::chmod(script.c_str(), 0755), 0);
  std::filesystem::create_symlink(script, directory_.path("link"));
  std::filesystem::create_symlink("link", directory_.path("second"));
  std::filesystem::create_directory_symlink(directory_.path(), directory_.path("self"));
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  const std::vector<std::string> all = {script, directory_.path("second"), "./second",
                                        directory_.path("self/self/./link"), "self/link"};
  for (const std::string& name : all) {
    const Said said = run({"--read", directory_.path(), "--", name});
    EXPECT_EQ(said.out, "#!/bin/sh\n") << name << ": " << said.err;
  }
  std::filesystem::current_path(before);
}

// Where init has no pid namespace, it finds those that are left by their list in /proc.
TEST_F(RunRoot, WithoutAPidNamespaceNobodyIsLeftEither) {
  const std::string policy =
      directory_.write("mount.policy", "include: \"base\"\nwall: MOUNT_NAMESPACE\n");
  // To the end of the output, which the child has too.
  const Said said =
      run({"--policy", policy, "--", "/bin/sh", "-c", "(while :; do :; done) & echo started"});
  EXPECT_EQ(said.out, "started\n") << said.err;
  EXPECT_EQ(said.status, 0);
}

TEST_F(RunRoot, TheWorkingDirectoryMayLieOnAnotherMount) {
  ASSERT_EQ(::mkdir(directory_.path("mount").c_str(), 0755), 0);
  const std::string mount = directory_.path("mount");
  const auto enter = [&] {
    if (!test::enter_mount_namespace() ||
        ::mount("tmpfs", mount.c_str(), "tmpfs", 0, nullptr) != 0 || ::chdir(mount.c_str()) != 0) {
      ::_exit(77);
    }
  };
  const Said said = run({"--write", mount, "--", "/bin/sh", "-c",
                         "pwd -P; echo text > made; read -r line < "
                         "\"$PWD/made\"; echo $line"},
                        enter);
  if (said.status == 77) GTEST_SKIP() << "this user has no mount namespace";
  EXPECT_EQ(said.out, mount + "\ntext\n") << said.err;
}

TEST_F(RunRoot, ADeletedWorkingDirectoryIsNowhere) {
  const auto lose = [&] {
    const std::string gone = directory_.path("gone");
    if (::mkdir(gone.c_str(), 0700) != 0 || ::chdir(gone.c_str()) != 0 ||
        ::rmdir(gone.c_str()) != 0) {
      ::_exit(77);
    }
  };
  const Said said = run({"--", "/bin/sh", "-c", "pwd -P; echo ran"}, lose);
  EXPECT_THAT(said.out, testing::EndsWith("ran\n")) << said.err;
  EXPECT_THAT(said.err, HasSubstr("getcwd() failed: No such file or directory"));
}

TEST_F(RunRoot, AWorkingDirectoryThatMayNotBeEnteredIsNoHindrance) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may enter every one";
  const auto close = [&] {
    const std::string closed = directory_.path("closed");
    if (::mkdir(closed.c_str(), 0700) != 0 || ::chdir(closed.c_str()) != 0 ||
        ::chmod(closed.c_str(), 0) != 0) {
      ::_exit(77);
    }
  };
  const Said said = run({"--", "/bin/true"}, close);
  EXPECT_EQ(said.status, 0) << said.err;
}

}  // namespace
}  // namespace torno::cli
