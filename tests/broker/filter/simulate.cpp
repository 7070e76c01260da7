#include "tests/broker/filter/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>

#include "broker/filter/compiler.h"
#include "broker/filter/killed_calls.h"
#include "broker/policy/loader.h"
#include "tests/broker/filter/bpf_interpreter.h"

namespace torno::filter::test {
namespace {

// Calls that the trap program treats in a way of its own: what the sandboxee's handler answers
// inside the process, and the descriptors that it keeps open.
constexpr std::string_view kHandlersOwn[] = {
    "rt_sigaction", "rt_sigprocmask", "rt_sigsuspend", "ppoll",     "pselect6",  "epoll_pwait",
    "epoll_pwait2", "umask",          "close_range",   "prlimit64", "setrlimit", "close"};

// The calls that run under the trap program and not under the notify program. Landlock does not
// keep a memfd from being executed, and only under the notify transport is anything executed; the
// working directory may lie in another mount namespace, and then the supervisor tells it.
constexpr std::string_view kSupervisorsOwn[] = {"memfd_create", "getcwd"};

std::string name_of(int number) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number), &std::free);
  return name == nullptr ? "" : name.get();
}

bool lets_through(std::uint32_t action) {
  return action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG;
}

std::uint32_t run(const Instructions& program, int number, const Arguments& arguments,
                  std::uint32_t architecture) {
  seccomp_data data{};
  data.nr = number;
  data.arch = architecture;
  data.instruction_pointer = 0x7fff'1234'5678;
  for (std::size_t i = 0; i < arguments.size(); ++i) data.args[i] = arguments[i];
  return run_program(program, data).result;
}

// The notify programs of the trap programs that compile_text() made.
std::map<std::string, Instructions>& twins() {
  static std::map<std::string, Instructions> all;
  return all;
}

std::string bytes_of(const Instructions& program) {
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

Instructions compile_one(const std::string& text, int landlock_abi, Transport transport) {
  const policy::PolicyPtr policy = load_policy(text);
  if (policy == nullptr) return {};
  const auto program = compile_for(*policy, landlock_abi, transport);
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return {};
  }
  EXPECT_EQ(check_program(*program), "");
  return *program;
}

}  // namespace

policy::PolicyPtr load_policy(const std::string& text) {
  const policy::Loaded loaded = policy::load_text(text, "test.policy", {});
  for (const auto& diagnostic : loaded.diagnostics) {
    EXPECT_NE(diagnostic.severity, policy::Diagnostic::Severity::kError) << diagnostic.text();
  }
  EXPECT_NE(loaded.policy, nullptr) << text;
  return loaded.policy;
}

Instructions compile_text(const std::string& text, int landlock_abi) {
  const auto program = compile_one(text, landlock_abi, Transport::kTrap);
  twins()[bytes_of(program)] = compile_notify(text, landlock_abi);
  return program;
}

Instructions compile_notify(const std::string& text, int landlock_abi) {
  return compile_one(text, landlock_abi, Transport::kNotify);
}

void expect_as_trapped(const Instructions& trap, const Instructions& notify, int number,
                       const Arguments& arguments) {
  const std::uint32_t trapped = run(trap, number, arguments, AUDIT_ARCH_X86_64);
  const std::uint32_t notified = run(notify, number, arguments, AUDIT_ARCH_X86_64);
  const std::string name = name_of(number);
  const auto where = testing::Message()
                     << (name.empty() ? std::to_string(number) : name) << std::hex << " "
                     << arguments[0] << " " << arguments[1] << " " << arguments[2] << " "
                     << arguments[3] << " " << arguments[4] << " " << arguments[5];
  if (std::ranges::find(kSupervisorsOwn, name) != std::end(kSupervisorsOwn) &&
      notified == SCMP_ACT_NOTIFY) {
    return;
  }
  if (lets_through(trapped)) {
    EXPECT_EQ(action_name(notified), action_name(trapped)) << where;
  } else if (std::ranges::find(kHandlersOwn, name) == std::end(kHandlersOwn)) {
    // The supervisor kills, but for numbers of x32, of which -1 is none.
    const bool kills = trapped == SCMP_ACT_KILL_PROCESS && !stays_native(name) &&
                       static_cast<unsigned>(number) + 1U <= 0x4000'0000U;
    const std::uint32_t wanted = trapped == SCMP_ACT_TRAP || kills ? SCMP_ACT_NOTIFY : trapped;
    EXPECT_EQ(action_name(notified), action_name(wanted)) << where;
  }
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
  if (const auto twin = twins().find(bytes_of(program));
      twin != twins().end() && architecture == AUDIT_ARCH_X86_64) {
    expect_as_trapped(program, twin->second, number, arguments);
  }
  return run(program, number, arguments, architecture);
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
    case SCMP_ACT_NOTIFY:
      return "NOTIFY";
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
