#include "tests/broker/filter/simulate.h"

#include <gtest/gtest.h>

#include "broker/filter/compiler.h"
#include "broker/policy/loader.h"
#include "tests/broker/filter/bpf_interpreter.h"

namespace torno::filter::test {

policy::PolicyPtr load_policy(const std::string& text) {
  const policy::Loaded loaded = policy::load_text(text, "test.policy", {});
  for (const auto& diagnostic : loaded.diagnostics) {
    EXPECT_NE(diagnostic.severity, policy::Diagnostic::Severity::kError) << diagnostic.text();
  }
  EXPECT_NE(loaded.policy, nullptr) << text;
  return loaded.policy;
}

Instructions compile_text(const std::string& text, int landlock_abi) {
  const policy::PolicyPtr policy = load_policy(text);
  if (policy == nullptr) return {};
  const auto program = compile_for(*policy, landlock_abi);
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return {};
  }
  EXPECT_EQ(check_program(*program), "");
  return *program;
}

std::string compile_error(const std::string& text) {
  const policy::Loaded loaded = policy::load_text(text, "test.policy", {});
  for (const auto& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == policy::Diagnostic::Severity::kError) return diagnostic.text();
  }
  const auto program = compile_for(*loaded.policy, kNewestAbi);
  if (program) {
    ADD_FAILURE() << "compiled without an error: " << text;
    return {};
  }
  return program.error().message;
}

std::uint32_t answer(const Instructions& program, int number, const Arguments& arguments,
                     std::uint32_t architecture) {
  seccomp_data data{};
  data.nr = number;
  data.arch = architecture;
  data.instruction_pointer = 0x7fff'1234'5678;
  for (std::size_t i = 0; i < arguments.size(); ++i) data.args[i] = arguments[i];
  return run_program(program, data).result;
}

std::uint32_t answer(const Instructions& program, const char* call, const Arguments& arguments) {
  const int number = ::seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, call);
  EXPECT_GE(number, 0) << call;
  return answer(program, number, arguments);
}

std::string action_name(std::uint32_t action) {
  switch (action & SECCOMP_RET_ACTION_FULL) {
    case SCMP_ACT_ALLOW:
      return "ALLOW";
    case SCMP_ACT_TRAP:
      return "TRAP";
    case SCMP_ACT_KILL_PROCESS:
      return "KILL";
    case SCMP_ACT_LOG:
      return "LOG";
    case SCMP_ACT_ERRNO(0):
      return errno_name(static_cast<int>(action & SECCOMP_RET_DATA));
    default:
      return "action " + std::to_string(action);
  }
}

std::string says(const Instructions& program, const char* call, const Arguments& arguments) {
  return action_name(answer(program, call, arguments));
}

}  // namespace torno::filter::test
