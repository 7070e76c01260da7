// What the library leaves as it is in the process that embeds it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/embedding/running.h"
#include "tests/support/in_a_child.h"
#include "tests/support/temporary_directory.h"

namespace torno::embedding {
namespace {

using test::TemporaryDirectory;

mode_t current_umask() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

class EmbeddingHost : public testing::Test {
 protected:
  void TearDown() override {
    ::umask(mask_);
    std::filesystem::current_path(cwd_);
  }
  TemporaryDirectory directory_;

 private:
  const mode_t mask_ = current_umask();
  const std::filesystem::path cwd_ = std::filesystem::current_path();
};

TEST_F(EmbeddingHost, UmaskAndWorkingDirectoryAreItsOwnAndThePrograms) {
  ::umask(027);
  std::filesystem::current_path(directory_.path());
  Sandbox::Options options =
      shell(": > made; umask; pwd -P; umask 0; : > open; read word; : > late");
  options.write = {directory_.path()};
  options.input = Sandbox::Stream::pipe();
  Sandbox sandbox = must_start(options);
  EXPECT_EQ(current_umask(), 027U);
  // What the host does later changes nothing for the program.
  ::umask(077);
  std::filesystem::current_path("/");
  sandbox.close_input();
  EXPECT_EQ(output_of(sandbox), "0027\n" + directory_.path() + "\n");
  EXPECT_EQ(sandbox.wait().exit_code, 0);
  EXPECT_EQ(current_umask(), 077U);
  EXPECT_EQ(std::filesystem::current_path(), "/");
  const auto mode = [this](const char* name) {
    struct stat status{};
    EXPECT_EQ(::stat((directory_.path() + "/" + name).c_str(), &status), 0) << name;
    return status.st_mode & 07777U;
  };
  EXPECT_EQ(mode("made"), 0640U);
  EXPECT_EQ(mode("open"), 0666U);
  EXPECT_EQ(mode("late"), 0666U);
}

TEST_F(EmbeddingHost, LimitsSignalsAndDumpingStay) {
  const auto state = [] {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    std::string text = std::to_string(files.rlim_cur) + " " + std::to_string(files.rlim_max) + " " +
                       std::to_string(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    int subreaper = -1;
    ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
    text += " " + std::to_string(subreaper);
    for (int signal = 1; signal < NSIG; ++signal) {
      struct sigaction action{};
      ::sigaction(signal, nullptr, &action);
      const bool changes = signal == SIGURG;
      text += std::string(1, ::sigismember(&mask, signal) == 1 ? 'b' : '-') +
              (changes || action.sa_handler == SIG_DFL ? 'd' : 'h');
    }
    return text;
  };
  const std::string before = state();
  Sandbox sandbox = must_start(shell("cd /; echo"));
  EXPECT_EQ(state(), before);
  sandbox.wait();
  EXPECT_EQ(state(), before);
}

// The library's own processes send it no SIGCHLD, and its waits see none of them.
TEST_F(EmbeddingHost, HasNoChildrenThatItDidNotStart) {
  static std::atomic<int> told = 0;
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { ++told; };
  ASSERT_EQ(::sigaction(SIGCHLD, &action, &before), 0);
  Sandbox::Options options = shell("read word");
  options.input = Sandbox::Stream::pipe();
  Sandbox sandbox = must_start(options);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  sandbox.close_input();
  EXPECT_EQ(sandbox.wait().exit_code, 1);
  EXPECT_EQ(told, 0);
  ::sigaction(SIGCHLD, &before, nullptr);
}

// A host that waits for whatever child takes the stops of threads that are steered, and, with
// __WALL, the end of the program's first process.
TEST_F(EmbeddingHost, WaitsForWhateverChildDoNotHoldTheProgram) {
  for (const int flags : {0, __WALL}) {
    std::atomic<bool> goes_on = true;
    std::atomic<int> taken = 0;
    std::thread waits([&] {
      while (goes_on) {
        int status = 0;
        if (::waitpid(-1, &status, flags | WNOHANG) > 0) ++taken;
        ::sched_yield();
      }
    });
    for (int turn = 0; turn < 3; ++turn) {
      Sandbox::Options options = shell(
          "i=0; while [ $i -lt 20 ]; do cd /usr/lib && cd /usr || exit 9; i=$((i+1)); done; echo "
          "done");
      options.read = {"/usr"};
      Sandbox sandbox = must_start(options);
      EXPECT_EQ(output_of(sandbox), "done\n");
      EXPECT_EQ(sandbox.wait().exit_code, 0);
    }
    goes_on = false;
    waits.join();
    EXPECT_GT(taken, 0) << "the test shows nothing: no stop was taken";
  }
}

TEST_F(EmbeddingHost, ASignalThatItHandlesIsNotTaken) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGURG, &action, &before), 0);
  const auto refused = Sandbox::start(shell("true"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error, EBUSY);
  ::sigaction(SIGURG, &before, nullptr);
  EXPECT_EQ(must_start(shell("true")).wait().exit_code, 0);
}

// The number of a closed one would be that of the first file opened.
TEST_F(EmbeddingHost, ClosedStandardDescriptorsBecomeNull) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int fd = 0; fd <= 2; ++fd) ::close(fd);
    Sandbox::Options options = shell("read word || exit 4");
    options.input = options.output = {};
    const auto result = must_start(options).wait();
    ::_exit(result.exit_code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 4);
}

}  // namespace
}  // namespace torno::embedding
