// The notify program: what it says where nothing is translated, and that all else is as trapped.
#include "broker/filter/transport.h"

#include <gtest/gtest.h>
#include <linux/bpf_common.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <random>

#include "broker/filter/compiler.h"
#include "broker/filter/conditions.h"
#include "broker/filter/groups.h"
#include "broker/filter/killed_calls.h"
#include "proto/wire.pb.h"
#include "tests/broker/filter/bpf_interpreter.h"
#include "tests/broker/filter/simulate.h"
#include "tests/support/seed.h"

namespace torno::filter::test {
namespace {

constexpr std::uint64_t kPointer = 0x7fff'dead'b000;
constexpr const char* kExecutes = R"(file { path: "/usr/bin/**" allow: EXECUTE })";

constexpr const char* kTexts[] = {
    "",
    kExecutes,
    "unknown_syscall: UNKNOWN_TRAP",
    "unknown_syscall: UNKNOWN_KILL",
    "unknown_syscall: UNKNOWN_LOG",
    "limit { processes: 1 } executable_mappings: MAPPINGS_DENY",
    R"(connect { address: "127.0.0.1" port: 80 } connect { unix: "/run/fontd.sock" })",
    R"(syscall { name: "getuid" action: TRAP } syscall { name: "sync" action: ALLOW }
       syscall { name: "write" action: KILL arg { index: 0 op: EQ value: 7 } }
       syscall { name: "dup" action: KILL arg { index: 0 op: EQ value: 7 } }
       syscall { name: "umask" action: ERRNO errno: "EPERM" }
       syscall { name: "read" action: LOG })",
};

TEST(Notify, NothingTraps) {
  for (const char* text : kTexts) {
    for (const sock_filter& instruction : compile_notify(text)) {
      if (instruction.code != (BPF_RET | BPF_K)) continue;
      EXPECT_NE(instruction.k & SECCOMP_RET_ACTION_FULL, std::uint32_t{SECCOMP_RET_TRAP}) << text;
    }
  }
}

TEST(Notify, WhatTheHandlerWouldTranslateIsNative) {
  const auto program = compile_notify("");
  for (const char* call : {"rt_sigaction", "rt_sigprocmask", "rt_sigsuspend", "ppoll", "pselect6",
                           "epoll_pwait", "epoll_pwait2", "umask", "close_range", "setrlimit"}) {
    for (const Arguments& arguments :
         {Arguments{}, Arguments{SIGSYS, kPointer, kPointer, kPointer, kPointer, kPointer},
          Arguments{3, ~std::uint64_t{0}, CLOSE_RANGE_UNSHARE, 0, 0, 0}}) {
      EXPECT_EQ(says(program, call, arguments), "ALLOW") << call;
    }
  }
  for (const std::uint64_t fd : {0U, 3U, 4031U, 4032U, 4095U, 4096U}) {
    EXPECT_EQ(says(program, "close", {fd}), "ALLOW") << fd;
  }
}

TEST(Notify, LimitsOfTheProcessItselfAlone) {
  const auto program = compile_notify("");
  EXPECT_EQ(says(program, "prlimit64", {0, 7, kPointer, kPointer}), "ALLOW");
  EXPECT_EQ(says(program, "prlimit64", {kGarbage, 7, kPointer, 0}), "ALLOW");
  EXPECT_EQ(says(program, "prlimit64", {1, 7, 0, kPointer}), "NOTIFY");
  EXPECT_EQ(says(program, "prlimit64", {kGarbage | 1, 7, 0, kPointer}), "NOTIFY");
}

TEST(Notify, MessagesWithANameAreAskedFor) {
  const auto program = compile_notify("");
  for (const std::uint64_t fd : {0U, 3U, 4031U, 4032U, 4094U, 4096U}) {
    EXPECT_EQ(says(program, "sendmsg", {fd, kPointer}), "NOTIFY") << fd;
  }
  EXPECT_EQ(says(program, "sendmsg", {4095, kPointer}), "ALLOW");
  EXPECT_EQ(says(program, "sendmsg", {kGarbage | 4095, kPointer}), "ALLOW");
  EXPECT_EQ(says(program, "sendmmsg", {4095, kPointer, 1}), "NOTIFY");
  EXPECT_EQ(says(program, "sendto", {3, kPointer, 4, 0, 0, 0}), "ALLOW");
  EXPECT_EQ(says(program, "sendto", {3, kPointer, 4, 0, kPointer, 16}), "NOTIFY");
}

TEST(Notify, PathsAndProgramsAreAskedFor) {
  for (const char* text : kTexts) {
    const auto program = compile_notify(text);
    for (const char* call : {"open", "openat", "openat2", "stat", "newfstatat", "connect", "execve",
                             "execveat", "chdir", "unlink", "mkdirat", "bind", "ptrace"}) {
      EXPECT_EQ(says(program, call, {0xffff'ff9c, kPointer, 2, 3, 4, 5}), "NOTIFY") << call;
    }
    EXPECT_EQ(says(program, "getcwd", {kPointer, 4096}), "NOTIFY");
    EXPECT_EQ(says(program, "fchdir", {3}), "ALLOW");
    EXPECT_EQ(says(program, "clone3"), "ENOSYS");
    EXPECT_EQ(says(program, "io_uring_setup"), "ENOSYS");
  }
}

TEST(Notify, SignalsAreNativeOnlyWhereLandlockScopesThem) {
  EXPECT_EQ(says(compile_notify("", 5), "kill", {1, 15}), "NOTIFY");
  EXPECT_EQ(says(compile_notify("", 6), "kill", {1, 15}), "ALLOW");
}

Instructions compile_executing(const char* rule) {
  std::string text = kExecutes;
  text += rule;
  return compile_notify(text);
}

// Landlock lets any memfd be executed (execute_test.cpp), so none is made executable.
TEST(Notify, MemoryFilesAreNotExecutableWhereProgramsAre) {
  constexpr std::uint64_t kNoExecSeal = 8;
  constexpr std::uint64_t kExec = 16;
  const auto none = compile_notify("");
  const auto executes = compile_notify(kExecutes);
  for (const std::uint64_t flags :
       {std::uint64_t{0}, std::uint64_t{3}, kExec, kGarbage, kNoExecSeal << 32}) {
    EXPECT_EQ(says(none, "memfd_create", {kPointer, flags}), "ALLOW");
    EXPECT_EQ(says(executes, "memfd_create", {kPointer, flags}), "NOTIFY");
    EXPECT_EQ(says(executes, "memfd_create", {kPointer, flags | kNoExecSeal}), "ALLOW");
  }
  // Nor does a rule that would log it let it through.
  const auto logged = compile_executing(R"(syscall { name: "memfd_create" action: LOG })");
  EXPECT_EQ(says(logged, "memfd_create", {kPointer, 0}), "NOTIFY");
  EXPECT_EQ(says(logged, "memfd_create", {kPointer, kNoExecSeal}), "LOG");
  const auto killed = compile_executing(R"(syscall { name: "memfd_create" action: KILL })");
  EXPECT_EQ(says(killed, "memfd_create", {kPointer, 0}), "NOTIFY");
}

TEST(Notify, PolicysOwnRules) {
  const auto program = compile_notify(kTexts[std::size(kTexts) - 1]);
  EXPECT_EQ(says(program, "getuid"), "NOTIFY");
  EXPECT_EQ(says(program, "sync"), "ALLOW");
  EXPECT_EQ(says(program, "write", {7}), "KILL");  // stays_native()
  EXPECT_EQ(says(program, "write", {6}), "ALLOW");
  EXPECT_EQ(says(program, "dup", {7}), "NOTIFY");
  EXPECT_EQ(says(program, "dup", {6}), "ALLOW");
  EXPECT_EQ(says(program, "umask"), "EPERM");
  EXPECT_EQ(says(program, "read"), "LOG");
}

// What is wrong with a policy's rules is wrong for both.
TEST(Notify, RefusesTheRulesThatATrapProgramRefuses) {
  for (const char* text :
       {R"(syscall { name: "close" action: LOG })", R"(syscall { name: "umask" action: ALLOW })",
        R"(syscall { name: "openat" action: TRAP })",
        R"(syscall { name: "recvmsg" action: KILL })"}) {
    const auto policy = load_policy(text);
    ASSERT_NE(policy, nullptr);
    const auto trap = compile_for(*policy, kNewestAbi, Transport::kTrap);
    const auto notify = compile_for(*policy, kNewestAbi, Transport::kNotify);
    ASSERT_FALSE(trap) << text;
    ASSERT_FALSE(notify) << text;
    EXPECT_EQ(trap.error().message, notify.error().message);
  }
}

TEST(Notify, ForeignAndUnknownNumbers) {
  constexpr std::uint32_t kX32 = 0x4000'0000;
  for (const char* text : kTexts) {
    const auto program = compile_notify(text);
    const auto trap = compile_text(text);
    for (int number = -1; number < 600; ++number) {
      ASSERT_EQ(answer(program, number, {}, AUDIT_ARCH_I386), SCMP_ACT_KILL_PROCESS) << number;
      ASSERT_EQ(answer(program, number, {}, AUDIT_ARCH_AARCH64), SCMP_ACT_KILL_PROCESS) << number;
      if (number < 0) continue;
      ASSERT_EQ(answer(program, static_cast<int>(kX32 | static_cast<std::uint32_t>(number)), {}),
                SCMP_ACT_KILL_PROCESS)
          << number;
    }
    for (const int number : {-1, 335, 400, 423, 500, 9999, 0x3fff'ffff}) {
      expect_as_trapped(trap, program, number, {1, 2, 3, 4, 5, 6});
    }
  }
  EXPECT_EQ(action_name(answer(compile_notify(""), 9999, {})), "ENOSYS");
  EXPECT_EQ(action_name(answer(compile_notify("unknown_syscall: UNKNOWN_TRAP"), 9999, {})),
            "NOTIFY");
}

// What the supervisor would say of a notification is what the trap program does by itself.
TEST(Notify, TheSupervisorKnowsWhatKills) {
  std::mt19937_64 random(torno::test::seed(13));
  for (const char* text : kTexts) {
    const auto policy = load_policy(text);
    ASSERT_NE(policy, nullptr);
    const KilledCalls killed(*policy);
    const auto trap = compile_text(text);
    for (int number = -1; number < 600; ++number) {
      const Arguments arguments = {random() % 9, random() % 9, random() % 9, 0, 0, 0};
      EXPECT_EQ(killed.contains(number, arguments),
                answer(trap, number, arguments) == SCMP_ACT_KILL_PROCESS)
          << number << " under " << text;
    }
  }
}

// Arguments that a condition matches, with anything in the bits that it leaves open.
Arguments matching(const Rule& rule, std::mt19937_64& random) {
  Arguments arguments{};
  for (auto& argument : arguments) argument = random() % 3 == 0 ? 0 : random();
  for (const Comparison& each : rule.when) {
    std::uint64_t& argument = arguments[each.arg];
    const bool masked = each.op == SCMP_CMP_MASKED_EQ;
    argument = masked ? (argument & ~each.datum_a) | each.datum_b : each.datum_a;
  }
  return arguments;
}

// Whatever a condition of either transport is about, and the same with one argument spoilt.
TEST(Notify, AgreesWithTheTrapProgramOnEveryCondition) {
  std::mt19937_64 random(torno::test::seed(11));
  for (const char* text : kTexts) {
    const auto policy = load_policy(text);
    ASSERT_NE(policy, nullptr);
    for (const int abi : {0, 5, 6, kNewestAbi}) {
      const auto trap = compile_text(text, abi);
      const auto notify = compile_notify(text, abi);
      for (const Transport transport : {Transport::kTrap, Transport::kNotify}) {
        const Conditions conditions = conditions_for(*policy, abi, transport);
        for (const auto* stage : {&conditions.marked, &conditions.refused, &conditions.native}) {
          for (const Rule& rule : *stage) {
            for (int i = 0; i < 8; ++i) {
              Arguments arguments = matching(rule, random);
              expect_as_trapped(trap, notify, call_number(rule.call), arguments);
              arguments[random() % arguments.size()] = random();
              expect_as_trapped(trap, notify, call_number(rule.call), arguments);
            }
          }
        }
      }
    }
  }
}

TEST(Notify, AgreesWithTheTrapProgramOnEveryGroup) {
  std::mt19937_64 random(torno::test::seed(12));
  for (const char* text : kTexts) {
    const auto trap = compile_text(text);
    const auto notify = compile_notify(text);
    for (const Group& group : groups()) {
      for (const std::string_view call : group.calls) {
        for (int i = 0; i < 16; ++i) {
          Arguments arguments{};
          for (auto& argument : arguments) argument = random() % 3 == 0 ? random() % 8 : random();
          expect_as_trapped(trap, notify, call_number(std::string(call)), arguments);
        }
      }
    }
  }
}

// On top of the notify program it answers for what the library does, and leaves the rest to that.
TEST(TrapOnNotify, TrapsWhatTheLibraryAnswersAndNothingElse) {
  const auto policy = load_policy("");
  ASSERT_NE(policy, nullptr);
  const auto program = compile_for(*policy, kNewestAbi, Transport::kTrapOnNotify);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(check_program(*program), "");
  const Arguments pointers = {kPointer, kPointer, kPointer, kPointer, kPointer, kPointer};
  for (const Group& group : groups()) {
    const bool answered = group.kind == Kind::kBrokered || group.kind == Kind::kTranslated;
    for (const std::string_view call : group.calls) {
      EXPECT_EQ(says(*program, std::string(call).c_str(), pointers), answered ? "TRAP" : "ALLOW")
          << call;
    }
  }
  EXPECT_EQ(action_name(answer(*program, 9999, {})), "ALLOW");
}

TEST(TrapOnNotify, KeepsWhatTheLibraryNeeds) {
  const auto policy = load_policy("");
  ASSERT_NE(policy, nullptr);
  const auto program = compile_for(*policy, kNewestAbi, Transport::kTrapOnNotify);
  ASSERT_TRUE(program) << program.error().message;
  const auto trap = compile_text("");
  constexpr std::uint64_t kMark = std::uint64_t{wire::REISSUE_MARK} << 32;
  for (const auto& [call, arguments] : std::initializer_list<std::pair<const char*, Arguments>>{
           {"close", {4032}},
           {"close", {4095}},
           {"close", {4031}},
           {"rt_sigaction", {SIGSYS, 0}},
           {"rt_sigaction", {SIGUSR1, 0}},
           {"rt_sigaction", {kMark | SIGUSR1, 1}},
           {"rt_sigprocmask", {kMark, 1}},
           {"ppoll", {1, 1, 0, 0}},
           {"ppoll", {1, kMark | 1, 0, 1}},
           {"umask", {kMark | 022}},
           {"close_range", {kMark | 4032, 4094, 0}},
           {"close_range", {kMark | 4032, 4095, 0}},
           {"close_range", {4032, 4095, 0}},
           {"prlimit64", {0, RLIMIT_NOFILE, 0, 1}},
           {"prlimit64", {kMark, RLIMIT_NOFILE, 1, 0}},
           {"sendmsg", {4095}},
           {"sendmsg", {4094}}}) {
    EXPECT_EQ(says(*program, call, arguments), says(trap, call, arguments)) << call;
  }
}

TEST(TrapOnNotify, ForeignNumbersKill) {
  const auto policy = load_policy("");
  ASSERT_NE(policy, nullptr);
  const auto program = compile_for(*policy, kNewestAbi, Transport::kTrapOnNotify);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(answer(*program, 2, {}, AUDIT_ARCH_I386), SCMP_ACT_KILL_PROCESS);
  EXPECT_EQ(answer(*program, 0x4000'0002, {}), SCMP_ACT_KILL_PROCESS);
}

}  // namespace
}  // namespace torno::filter::test
