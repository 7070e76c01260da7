// #! chains whose files are exchanged while their exec is vetted: the kernel looks each of them up
// again, and Landlock's EXECUTE right holds what it finds. TORNO_RACE_ROUNDS sets how often.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tests/cli/run_command.h"

namespace torno::test {
namespace {

using cli::RunCommand;
using cli::Said;
using testing::HasSubstr;
using testing::Not;

// Exchanges two files for as long as it lives.
class Swapper {
 public:
  Swapper(const std::string& one, const std::string& other) : pid_(::fork()) {
    if (pid_ != 0) return;
    for (;;) ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  }
  ~Swapper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;

 private:
  const pid_t pid_;
};

int rounds() {
  const char* text = std::getenv("TORNO_RACE_ROUNDS");
  return (text != nullptr ? std::atoi(text) : 5000) / 20;
}

class AttackSwappedScript : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
      GTEST_SKIP() << "this kernel has no Landlock";
    }
    std::filesystem::copy_file("/usr/bin/true", path("good"));
    std::filesystem::copy_file("/usr/bin/false", path("bad"));
    for (const char* kind : {"good", "bad"}) {
      const std::string script =
          directory_.write(std::string(kind) + "-script", "#!" + path(kind) + "\n");
      EXPECT_EQ(::chmod(script.c_str(), 0755), 0);
    }
  }
  std::string path(const std::string& name) const { return directory_.path(name); }

  // Executes the script again and again, after it was told to: `count` times, or until what must
  // not run has run.
  std::string loop(int count) const {
    return "echo ready; read -r line; i=0; while [ $i -lt " + std::to_string(count) + " ]; do " +
           path("good-script") +
           " 2>/dev/null; if [ $? = 1 ]; then echo forbidden; exit; fi; i=$((i+1)); done; echo "
           "over";
  }
  std::string confined(const std::string& one, const std::string& other) const {
    RunCommand command(
        {"--policy",
         directory_.write("swapped.policy", "profile: NO_NETWORK\nfile { path: \"" + path("good") +
                                                "\" allow: EXECUTE }\nfile { path: \"" +
                                                path("good-script") + "\" allow: EXECUTE }\n" +
                                                GetParam()),
         "--", "/bin/sh", "-c", loop(rounds())});
    EXPECT_EQ(command.read_line(), "ready");
    const Swapper swapper(one, other);
    EXPECT_EQ(::write(command.input(), "\n", 1), 1);
    return command.wait().out;
  }
  std::string free(const std::string& one, const std::string& other) const {
    const Swapper swapper(one, other);
    FILE* shell = ::popen(("echo | ( " + loop(100'000) + " )").c_str(), "r");
    char text[256] = {};
    const std::size_t size = std::fread(text, 1, sizeof text - 1, shell);
    ::pclose(shell);
    return {text, size};
  }
  void expect_held(const std::string& one, const std::string& other) const {
    EXPECT_EQ(confined(one, other), "over\n");
    EXPECT_THAT(free(one, other), HasSubstr("forbidden"));
  }
  const cli::TemporaryDirectory directory_;
};

TEST_P(AttackSwappedScript, ItsInterpreter) {
  expect_held(path("good"), path("bad"));
}

TEST_P(AttackSwappedScript, TheScript) {
  expect_held(path("good-script"), path("bad-script"));
}

INSTANTIATE_TEST_SUITE_P(Walls, AttackSwappedScript, testing::Values("", "wall: LANDLOCK\n"));

}  // namespace
}  // namespace torno::test
