// The chain is what the kernel opens, no file less and none more: under Landlock a program runs
// when all of its chain has the right to execute, and does not when one file lacks it.
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/broker/launch/exec.h"
#include "tests/broker/launch/program_fixture.h"
#include "tests/support/in_a_child.h"

namespace torno::launch::test {
namespace {

// From here on this process executes the files of the chain alone, but for the one left out.
bool execute_only(const Program& program, std::size_t left_out) {
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE;
  const Fd ruleset(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled.handled_access_fs, 0)));
  for (std::size_t i = 0; i < program.chain.size(); ++i) {
    if (i == left_out) continue;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE;
    rule.parent_fd = program.chain[i].file.get();
    if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) !=
        0) {
      return false;
    }
  }
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0;
}

class ExecuteRight : public ProgramTest {
 protected:
  void SetUp() override {
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
      GTEST_SKIP() << "this kernel has no Landlock";
    }
  }

  void check(const std::string& name) const {
    const Found program = find(name);
    ASSERT_TRUE(program) << told(program);
    const std::size_t size = program->chain.size();
    for (std::size_t left_out = 0; left_out <= size; ++left_out) {
      torno::test::in_a_child([&] { return execute_only(*program, left_out); },
                              [&] {
                                EXPECT_EQ(exec_error(name), left_out == size ? 0 : EACCES)
                                    << name << " without file " << left_out << " of " << size;
                              });
    }
  }
};

TEST_F(ExecuteRight, OfADynamicProgram) {
  check(copy("program"));
}

TEST_F(ExecuteRight, OfAStaticProgram) {
  check(copy("program", 0755, TORNO_STATIC_PROGRAM));
}

TEST_F(ExecuteRight, OfAScript) {
  const std::string inner = write("inner", "#!" + copy("program") + " argument\n");
  check(write("outer", "#!" + inner + "\n"));
}

}  // namespace
}  // namespace torno::launch::test
