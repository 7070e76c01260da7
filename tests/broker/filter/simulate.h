// What a compiled policy says of a call.
#pragma once

#include <linux/audit.h>
#include <seccomp.h>

#include <array>
#include <cstdint>
#include <string>

#include "broker/filter/program.h"
#include "broker/filter/transport.h"
#include "broker/policy/policy.h"

namespace torno::filter::test {

inline constexpr int kNewestAbi = 7;

using Arguments = std::array<std::uint64_t, 6>;

// A policy from its text; a failure of the test when it does not load.
policy::PolicyPtr load_policy(const std::string& text);

// Compiled, and accepted by check_program; an empty program and a failure of the test otherwise.
// What answer() then says of this trap program is held against the notify program of the same text
// (expect_as_trapped), so that every table of calls in these tests is one of both transports.
Instructions compile_text(const std::string& text, int landlock_abi = kNewestAbi);
Instructions compile_notify(const std::string& text, int landlock_abi = kNewestAbi);

// The notify program lets through what the trap program does, which may be loaded on top of it; and
// beyond what is translated in the process it says the same, with a notification for a trap.
void expect_as_trapped(const Instructions& trap, const Instructions& notify, int number,
                       const Arguments& arguments);

// The error of loading or compiling the text; a failure of the test when there is none.
std::string compile_error(const std::string& text);

// SCMP_ACT_* for a call of this name (it must exist) or number.
std::uint32_t answer(const Instructions& program, const char* call, const Arguments& arguments);
std::uint32_t answer(const Instructions& program, int number, const Arguments& arguments,
                     std::uint32_t architecture = AUDIT_ARCH_X86_64);

// "ALLOW", "TRAP", "NOTIFY", "KILL", "LOG", or the errno value's name.
std::string action_name(std::uint32_t action);

// The same of a call by name.
std::string says(const Instructions& program, const char* call, const Arguments& arguments = {});

// Garbage in the half that the kernel ignores in an int argument.
inline constexpr std::uint64_t kGarbage = 0xdead'beef'0000'0000U;

}  // namespace torno::filter::test
