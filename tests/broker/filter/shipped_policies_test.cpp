// Every policy in policies/ compiles, for every kernel, to a program that holds the walls.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "broker/filter/compiler.h"
#include "broker/policy/loader.h"
#include "tests/broker/filter/bpf_interpreter.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

constexpr const char* kPolicies = TORNO_SOURCE_DIR "/policies";

std::set<std::string> shipped() {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kPolicies)) {
    if (entry.path().extension() == ".policy") files.insert(entry.path());
  }
  return files;
}

policy::PolicyPtr load_shipped(const std::string& file) {
  policy::LoadOptions options;
  options.directories = {kPolicies};
  options.variables = policy::default_variables(0, 1, "/");
  // Variables that a policy asks of its user; any directory does for the filter.
  options.variables.try_emplace("INPUT", "/usr/share");
  options.variables.try_emplace("OUTPUT", "/tmp");
  options.allow_paths = true;
  const auto loaded = policy::load(file, options);
  for (const auto& diagnostic : loaded.diagnostics) {
    EXPECT_NE(diagnostic.severity, policy::Diagnostic::Severity::kError) << diagnostic.text();
  }
  return loaded.policy;
}

void expect_walls(const Instructions& program) {
  EXPECT_EQ(check_program(program), "");
  EXPECT_EQ(action_name(answer(program, 39, {}, AUDIT_ARCH_I386)), "KILL");
  EXPECT_EQ(action_name(answer(program, 0x4000'0000 | 39, {})), "KILL");
  for (const char* call : {"execve", "ptrace", "mount", "bind", "unlink", "fchmod", "bpf"}) {
    EXPECT_NE(says(program, call, {}), "ALLOW") << call;
    EXPECT_NE(says(program, call, {~std::uint64_t{0}, 1, 2, 3, 4, 5}), "ALLOW") << call;
  }
  for (const char* call : {"open", "openat", "openat2", "stat", "newfstatat", "connect"}) {
    for (const std::uint64_t directory : {std::uint64_t{0xffff'ff9c}, ~std::uint64_t{99}}) {
      EXPECT_EQ(says(program, call, {directory, 1, 2, 3, 4, 5}), "TRAP") << call;
    }
  }
  for (const char* call : {"clone3", "io_uring_setup", "io_uring_enter"}) {
    EXPECT_EQ(says(program, call, {}), "ENOSYS") << call;
  }
  EXPECT_EQ(says(program, "clone", {0x1000'0000}), "EPERM");
  EXPECT_EQ(says(program, "sendmsg", {3}), "TRAP");
  EXPECT_EQ(says(program, "sendmsg", {4095}), "ALLOW");
  EXPECT_EQ(says(program, "rt_sigreturn", {}), "ALLOW");
  EXPECT_EQ(says(program, "close", {4095}), "EBADF");
}

TEST(ShippedPolicies, CompileAndHoldTheWalls) {
  const auto files = shipped();
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    SCOPED_TRACE(file);
    const auto policy = load_shipped(file);
    ASSERT_NE(policy, nullptr);
    for (const int abi : {0, 1, 5, 6, kNewestAbi}) {
      const auto program = compile_for(*policy, abi);
      ASSERT_TRUE(program) << program.error().message;
      expect_walls(*program);
      const auto notify = compile_for(*policy, abi, Transport::kNotify);
      ASSERT_TRUE(notify) << notify.error().message;
      EXPECT_EQ(check_program(*notify), "");
      for (int number = -1; number < 512; ++number) {
        expect_as_trapped(*program, *notify, number, {});
        expect_as_trapped(*program, *notify, number, {~std::uint64_t{0}, 1, 2, 3, 4, 5});
      }
    }
  }
}

}  // namespace
}  // namespace torno::filter::test
