// Foreign architectures, x32 numbers, and numbers that nobody knows.
#include <gtest/gtest.h>

#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

constexpr std::uint32_t kX32 = 0x4000'0000;

class EveryPolicy : public testing::TestWithParam<const char*> {};

TEST_P(EveryPolicy, KillsOtherArchitectures) {
  const auto program = compile_text(GetParam());
  for (const std::uint32_t architecture :
       {std::uint32_t{AUDIT_ARCH_I386}, std::uint32_t{AUDIT_ARCH_AARCH64},
        std::uint32_t{AUDIT_ARCH_ARM}, std::uint32_t{AUDIT_ARCH_X86_64} & ~__AUDIT_ARCH_64BIT, 0U,
        0xffff'ffffU}) {
    for (int number = -1; number < 600; ++number) {
      ASSERT_EQ(answer(program, number, {}, architecture), SCMP_ACT_KILL_PROCESS)
          << architecture << " " << number;
    }
  }
}

TEST_P(EveryPolicy, KillsX32Numbers) {
  const auto program = compile_text(GetParam());
  for (std::uint32_t number = 0; number < 600; ++number) {
    ASSERT_EQ(answer(program, static_cast<int>(kX32 | number), {}), SCMP_ACT_KILL_PROCESS)
        << number;
  }
  for (const std::uint32_t number : {0x4000'0000U, 0x7fff'ffffU, 0x8000'0000U, 0xffff'fffeU}) {
    EXPECT_EQ(answer(program, static_cast<int>(number), {}), SCMP_ACT_KILL_PROCESS) << number;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Filter, EveryPolicy,
    testing::Values("", "unknown_syscall: UNKNOWN_LOG", "unknown_syscall: UNKNOWN_TRAP",
                    "limit { processes: 1 } executable_mappings: MAPPINGS_DENY",
                    "syscall { name: \"write\" action: LOG }",
                    "syscall { name: \"sync\" action: ALLOW arg { index: 0 op: LE value: 9 } }"));

std::string unknown(const char* choice) {
  return std::string(choice).empty() ? "" : std::string("unknown_syscall: ") + choice;
}

void expect_unknown(const char* choice, const char* wanted) {
  const auto program = compile_text(unknown(choice));
  // 335 to 423 are a hole in the table of x86_64. -1 is what a tracer leaves; the kernel has no
  // such call either.
  for (const int number : {-1, 335, 400, 423, 500, 9999, 0x3fff'ffff}) {
    EXPECT_EQ(action_name(answer(program, number, {1, 2, 3, 4, 5, 6})), wanted) << number;
  }
  EXPECT_EQ(says(program, "read"), "ALLOW");
  EXPECT_EQ(says(program, "openat"), "TRAP");
  EXPECT_EQ(says(program, "clone3"), "ENOSYS");
  EXPECT_EQ(says(program, "io_uring_setup"), "ENOSYS");
}

TEST(UnknownNumbers, AreMissingByDefault) {
  expect_unknown("", "ENOSYS");
}
TEST(UnknownNumbers, CanKill) {
  expect_unknown("UNKNOWN_KILL", "KILL");
}
TEST(UnknownNumbers, CanTrap) {
  expect_unknown("UNKNOWN_TRAP", "TRAP");
}
TEST(UnknownNumbers, CanBeLogged) {
  expect_unknown("UNKNOWN_LOG", "LOG");
}

}  // namespace
}  // namespace torno::filter::test
