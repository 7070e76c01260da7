// `syscall { … }` rules: order, operators at their edges, and what is refused.
#include "broker/filter/syscall_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "broker/filter/chain.h"
#include "broker/policy/connect_rules.h"
#include "broker/policy/file_rules.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

constexpr std::uint64_t kMax = ~std::uint64_t{0};

// Values around which a 64-bit comparison made of 32-bit halves can go wrong.
std::vector<std::uint64_t> edges() {
  std::vector<std::uint64_t> values;
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{1} << 31, std::uint64_t{1} << 32, std::uint64_t{1} << 33,
        std::uint64_t{1} << 63, std::uint64_t{0x1234'5678'9abc'def0}}) {
    for (const std::uint64_t offset : {kMax - 1, kMax, std::uint64_t{0}, std::uint64_t{1}}) {
      values.push_back(value + offset);
    }
    values.push_back(value | 0xffff'ffff);
    values.push_back(value & ~std::uint64_t{0xffff'ffff});
  }
  return values;
}

struct Operator {
  scmp_compare op;
  const char* name;
  bool (*holds)(std::uint64_t argument, std::uint64_t value);
};

constexpr Operator kOperators[] = {
    {SCMP_CMP_EQ, "EQ", [](std::uint64_t a, std::uint64_t v) { return a == v; }},
    {SCMP_CMP_NE, "NE", [](std::uint64_t a, std::uint64_t v) { return a != v; }},
    {SCMP_CMP_LT, "LT", [](std::uint64_t a, std::uint64_t v) { return a < v; }},
    {SCMP_CMP_LE, "LE", [](std::uint64_t a, std::uint64_t v) { return a <= v; }},
    {SCMP_CMP_GT, "GT", [](std::uint64_t a, std::uint64_t v) { return a > v; }},
    {SCMP_CMP_GE, "GE", [](std::uint64_t a, std::uint64_t v) { return a >= v; }},
};

// Through the chain itself, since a policy refuses comparisons that nothing satisfies (LT 0).
TEST(Comparisons, AreExactAtEveryEdge) {
  for (const Operator& op : kOperators) {
    for (unsigned index = 0; index < 6; ++index) {
      for (const std::uint64_t value : edges()) {
        Chain chain;
        ASSERT_TRUE(chain.add_exact({"getpid", SCMP_ACT_TRAP, {{index, op.op, value, 0}}}));
        const auto program = chain.finish({}, SCMP_ACT_ALLOW);
        ASSERT_TRUE(program) << program.error().message;
        for (const std::uint64_t argument : edges()) {
          Arguments arguments{};
          arguments[index] = argument;
          ASSERT_EQ(says(*program, "getpid", arguments),
                    op.holds(argument, value) ? "TRAP" : "ALLOW")
              << std::hex << argument << " " << op.name << " " << value;
        }
      }
    }
  }
}

TEST(Comparisons, MasksAreExact) {
  for (unsigned index = 0; index < 6; ++index) {
    for (const std::uint64_t mask : edges()) {
      for (const std::uint64_t bits :
           {kMax, std::uint64_t{0}, std::uint64_t{0x5555'5555'5555'5555}}) {
        const std::uint64_t value = bits & mask;
        Chain chain;
        ASSERT_TRUE(
            chain.add_exact({"getpid", SCMP_ACT_TRAP, {{index, SCMP_CMP_MASKED_EQ, mask, value}}}));
        const auto program = chain.finish({}, SCMP_ACT_ALLOW);
        ASSERT_TRUE(program) << program.error().message;
        for (const std::uint64_t argument : edges()) {
          Arguments arguments{};
          arguments[index] = argument;
          ASSERT_EQ(says(*program, "getpid", arguments),
                    (argument & mask) == value ? "TRAP" : "ALLOW")
              << std::hex << argument << " & " << mask << " == " << value;
        }
      }
    }
  }
}

TEST(SyscallRules, TheDocumentedExample) {
  const auto program = compile_text(
      R"(syscall { name: "write" action: ERRNO errno: "EPERM" arg { index: 0 op: NE value: 1 } })");
  EXPECT_EQ(says(program, "write", {1}), "ALLOW");
  EXPECT_EQ(says(program, "write", {2}), "EPERM");
  EXPECT_EQ(says(program, "write", {kGarbage | 1}), "EPERM");
  EXPECT_EQ(says(program, "read", {2}), "ALLOW");
}

TEST(SyscallRules, EveryActionByItself) {
  const auto with = [](const char* action) {
    return says(compile_text(std::string("syscall { name: \"getuid\" action: ") + action + " }"),
                "getuid");
  };
  EXPECT_EQ(with("KILL"), "KILL");
  EXPECT_EQ(with("TRAP"), "TRAP");
  EXPECT_EQ(with("ERRNO errno: \"EACCES\""), "EACCES");
  EXPECT_EQ(with("ERRNO errno: \"EWOULDBLOCK\""), "EAGAIN");
  EXPECT_EQ(with("ERRNO errno: \"EHWPOISON\""), "EHWPOISON");
  EXPECT_EQ(with("LOG"), "LOG");
  EXPECT_EQ(with("ALLOW"), "ALLOW");
  EXPECT_EQ(says(compile_text(R"(syscall { name: "sync" action: ALLOW })"), "sync"), "ALLOW");
  EXPECT_EQ(says(compile_text(R"(syscall { name: "sync" action: LOG })"), "sync"), "LOG");
}

// The severer action wins whatever the order in the file; between equals the first one.
TEST(SyscallRules, SeverityComesFirst) {
  const std::vector<std::string> rules = {
      R"(syscall { name: "getuid" action: ALLOW })",
      R"(syscall { name: "getuid" action: LOG arg { index: 0 op: LE value: 4 } })",
      R"(syscall { name: "getuid" action: ERRNO errno: "EPERM" arg { index: 0 op: LE value: 3 } })",
      R"(syscall { name: "getuid" action: ERRNO errno: "EIO" arg { index: 0 op: LE value: 3 } })",
      R"(syscall { name: "getuid" action: TRAP arg { index: 0 op: LE value: 2 } })",
      R"(syscall { name: "getuid" action: KILL arg { index: 0 op: LE value: 1 } })",
  };
  std::string text;
  for (const auto& rule : rules) text += rule + "\n";
  const auto program = compile_text(text);
  const char* wanted[] = {"KILL", "KILL", "TRAP", "EPERM", "LOG", "ALLOW"};
  for (std::uint64_t i = 0; i < std::size(wanted); ++i) {
    EXPECT_EQ(says(program, "getuid", {i}), wanted[i]) << i;
  }
}

TEST(SyscallRules, AllComparisonsMustHold) {
  const auto program = compile_text(R"(
      syscall { name: "getuid" action: KILL
                arg { index: 0 op: EQ value: 1 } arg { index: 1 op: NE value: 2 }
                arg { index: 2 op: LT value: 3 } arg { index: 3 op: LE value: 4 }
                arg { index: 4 op: GT value: 5 } arg { index: 5 op: MASKED_EQ mask: 7 value: 6 } })");
  const Arguments matching = {1, 0, 2, 4, 6, 14};
  const Arguments failing = {2, 2, 3, 5, 5, 7};
  EXPECT_EQ(says(program, "getuid", matching), "KILL");
  for (std::size_t i = 0; i < matching.size(); ++i) {
    Arguments arguments = matching;
    arguments[i] = failing[i];
    EXPECT_EQ(says(program, "getuid", arguments), "ALLOW") << i;
  }
}

TEST(SyscallRules, SeveralComparisonsOfOneArgument) {
  const auto program = compile_text(R"(
      syscall { name: "getuid" action: KILL
                arg { index: 3 op: GE value: 0x7fffffff } arg { index: 3 op: LE value: 0x100000001 }
                arg { index: 3 op: NE value: 0x80000000 }
                arg { index: 3 op: MASKED_EQ mask: 2 value: 0 } })");
  for (std::uint64_t value = 0x7fff'fff0; value < 0x8000'0010; ++value) {
    const bool matches = value >= 0x7fff'ffff && value != 0x8000'0000 && (value & 2) == 0;
    EXPECT_EQ(says(program, "getuid", {0, 0, 0, value}), matches ? "KILL" : "ALLOW") << value;
  }
  EXPECT_EQ(says(program, "getuid", {0, 0, 0, 0x1'0000'0001}), "KILL");
  EXPECT_EQ(says(program, "getuid", {0, 0, 0, 0x1'0000'0004}), "ALLOW");
}

TEST(SyscallRules, GoBeforeConditionsAndGroups) {
  const auto program = compile_text(R"(
      syscall { name: "openat" action: ERRNO errno: "ENOENT" }
      syscall { name: "fcntl" action: KILL arg { index: 1 op: EQ value: 0 } }
      syscall { name: "close" action: ERRNO errno: "EIO" arg { index: 0 op: EQ value: 4095 } })");
  EXPECT_EQ(says(program, "openat"), "ENOENT");
  EXPECT_EQ(says(program, "open"), "TRAP");
  EXPECT_EQ(says(program, "fcntl", {3, 0}), "KILL");
  EXPECT_EQ(says(program, "fcntl", {3, 1}), "ALLOW");
  EXPECT_EQ(says(program, "close", {4095}), "EIO");
  EXPECT_EQ(says(program, "close", {4094}), "EBADF");
}

std::string rule(const std::string& rest) {
  return "syscall { " + rest + " }";
}

TEST(SyscallRuleErrors, SayWhereTheRuleStands) {
  EXPECT_THAT(compile_error("\n\n" + rule(R"(name: "ptrace" action: ALLOW)")),
              MatchesRegex(".*test.policy:[0-9]+:[0-9]+: error: ALLOW of ptrace .*"));
}

TEST(SyscallRuleErrors, UnknownNamesAndValues) {
  EXPECT_THAT(compile_error(rule(R"(name: "opnat" action: KILL)")),
              HasSubstr("unknown system call \"opnat\"; `torno syscall"));
  // A name that libseccomp knows, but x86_64 has no number for.
  EXPECT_THAT(compile_error(rule(R"(name: "socketcall" action: KILL)")),
              HasSubstr("unknown system call"));
  for (const char* rest :
       {R"(name: "read" action: ERRNO errno: "EPREM")", R"(name: "read" action: ERRNO)",
        R"(name: "read")", R"(name: "read" action: KILL errno: "EPERM")"}) {
    EXPECT_THAT(compile_error(rule(rest)), HasSubstr("error: ")) << rest;
  }
}

TEST(SyscallRuleErrors, Arguments) {
  const auto error = [](const std::string& argument) {
    return compile_error(rule(R"(name: "read" action: KILL arg { )" + argument + " }"));
  };
  for (const char* argument :
       {"index: 6 op: EQ value: 1", "index: 1 value: 1", "index: 1 op: EQ value: 1 mask: 1",
        "index: 1 op: MASKED_EQ value: 1", "index: 1 op: MASKED_EQ mask: 0 value: 0"}) {
    EXPECT_THAT(error(argument), HasSubstr("error: ")) << argument;
  }
  EXPECT_THAT(error("index: 1 op: MASKED_EQ mask: 6 value: 1"), HasSubstr("never match"));
  EXPECT_THAT(error("index: 1 op: LT value: 0"), HasSubstr("never match"));
  EXPECT_THAT(error("index: 1 op: GT value: 0xffffffffffffffff"), HasSubstr("never match"));
  EXPECT_THAT(error("index: 1 op: LT value: 5 } arg { index: 1 op: GE value: 5"),
              HasSubstr("never match"));
  EXPECT_THAT(error("index: 1 op: EQ value: 5 } arg { index: 1 op: EQ value: 6"),
              HasSubstr("never match"));
}

// What the loader lets nobody write is refused here once more.
TEST(SyscallRuleErrors, MalformedRulesFromElsewhere) {
  policy::SyscallRule valid;
  valid.set_name("read");
  valid.set_action(policy::ERRNO);
  valid.set_errno("EPERM");
  valid.add_arg()->set_op(policy::EQ);
  const auto accepted = [](const policy::SyscallRule& rule) {
    policy::PolicyFile file;
    *file.add_syscall() = rule;
    const policy::Policy policy(file, {policy::SyscallPlaces{}}, nullptr, nullptr, {});
    return syscall_rules(policy, {}).errors.empty();
  };
  EXPECT_TRUE(accepted(valid));
  const auto with = [&](auto change) {
    policy::SyscallRule rule = valid;
    change(rule);
    return accepted(rule);
  };
  EXPECT_FALSE(with([](auto& rule) { rule.clear_name(); }));
  EXPECT_FALSE(with([](auto& rule) { rule.clear_action(); }));
  EXPECT_FALSE(with([](auto& rule) { rule.clear_errno(); }));
  EXPECT_FALSE(with([](auto& rule) { rule.set_errno("EPREM"); }));
  EXPECT_FALSE(with([](auto& rule) { rule.mutable_arg(0)->clear_op(); }));
  EXPECT_FALSE(with([](auto& rule) { rule.mutable_arg(0)->set_index(6); }));
  EXPECT_FALSE(with([](auto& rule) { rule.mutable_arg(0)->set_op(policy::MASKED_EQ); }));
}

TEST(SyscallRuleErrors, NothingThatLiftsAWallIsLetThrough) {
  for (const char* action : {"ALLOW", "LOG"}) {
    for (const char* call :
         {"openat",         "stat",
          "connect",  // brokered
          "rt_sigaction",   "rt_sigprocmask", "ppoll",
          "umask",  // translated
          "close_range",    "prlimit64",      "setrlimit",   "sendmsg", "sendto",
          "socket",         "setsockopt",     "fcntl",
          "ioctl",  // by arguments
          "prctl",          "seccomp",        "clone",       "kill",    "sched_setaffinity",
          "close",  // reserved descriptors
          "rename",         "unlink",         "chdir",       "bind",
          "sendmmsg",  // paths and addresses
          "ptrace",         "mount",          "execve",      "clone3",
          "io_uring_setup",  // walls
          "setns",          "unshare",        "pidfd_getfd", "bpf",     "fchmod",
          "shmget",         "setuid"}) {
      for (const char* argument : {"", " arg { index: 0 op: EQ value: 3 }"}) {
        const auto error =
            compile_error(rule(std::string("name: \"") + call + "\" action: " + action + argument));
        EXPECT_THAT(error, HasSubstr(std::string("error: ") + action + " of " + call + " would"))
            << error;
      }
    }
  }
}

TEST(SyscallRuleErrors, ConditionsOfThePolicyCountAsWalls) {
  const std::string deny = "executable_mappings: MAPPINGS_DENY\n";
  EXPECT_EQ(says(compile_text(rule(R"(name: "mmap" action: LOG)")), "mmap"), "LOG");
  EXPECT_THAT(compile_error(deny + rule(R"(name: "mmap" action: LOG)")), HasSubstr("lift a wall"));
  EXPECT_THAT(compile_error("limit { processes: 1 }\n" + rule(R"(name: "fork" action: ALLOW)")),
              HasSubstr("lift a wall"));
}

TEST(SyscallRuleErrors, TrapsThatCannotBeHandled) {
  for (const char* call : {"rseq", "set_robust_list", "clone", "clone3", "futex", "exit"}) {
    EXPECT_THAT(compile_error(rule(std::string("name: \"") + call + "\" action: TRAP")),
                HasSubstr("no trap can be handled"));
  }
  for (const char* call : {"openat", "connect", "rt_sigprocmask", "sendmsg"}) {
    EXPECT_THAT(compile_error(rule(std::string("name: \"") + call +
                                   "\" action: TRAP arg { index: 0 op: EQ value: 1 }")),
                HasSubstr("changes nothing"));
  }
  EXPECT_EQ(says(compile_text(rule(R"(name: "rseq" action: ERRNO errno: "ENOSYS")")), "rseq"),
            "ENOSYS");
}

TEST(SyscallRuleErrors, CallsThatTheHandlerNeeds) {
  for (const char* action : {"KILL", "TRAP", "ERRNO errno: \"EPERM\""}) {
    EXPECT_THAT(compile_error(rule(std::string("name: \"rt_sigreturn\" action: ") + action +
                                   " arg { index: 0 op: EQ value: 1 }")),
                HasSubstr("rt_sigreturn is not possible"));
    for (const char* call : {"recvmsg", "sendto", "writev", "getpid", "getcwd", "close"}) {
      EXPECT_THAT(compile_error(rule(std::string("name: \"") + call + "\" action: " + action)),
                  HasSubstr("break brokered calls"));
    }
  }
  EXPECT_EQ(says(compile_text(
                     rule(R"(name: "sendto" action: KILL arg { index: 2 op: GT value: 65536 })")),
                 "sendto", {3, 0, 65537, 0, 0, 0}),
            "KILL");
}

TEST(SyscallRuleErrors, ProgramsThatTheKernelWouldNotTake) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += rule("name: \"read\" action: KILL arg { index: 2 op: EQ value: " + std::to_string(i) +
                 " }") +
            "\n";
  }
  EXPECT_THAT(compile_error(text), HasSubstr("the kernel takes 4096"));
}

}  // namespace
}  // namespace torno::filter::test
