// torno syscall NUMBER|NAME: what becomes of a system call of a sealed process, from the very
// table that its filter is made of.
#include <seccomp.h>

#include <CLI/App.hpp>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/error.h"
#include "broker/filter/groups.h"
#include "broker/filter/rule.h"
#include "cli/command.h"
#include "cli/message.h"

namespace torno::cli {

namespace {

using filter::Group;
using filter::Kind;

constexpr const char* kFooter =
    "Without a policy's own syscall rules: 'torno check' tells whether those are right.\n"
    "\n"
    "Examples:\n"
    "  torno syscall openat\n"
    "  torno syscall 59\n"
    "\n"
    "This is for a program that links the library. docs/syscalls.md tells what differs under\n"
    "torno run, where a program may change its working directory and, by policy, execute others.\n"
    "\n"
    "Exit status: 0, or 2 when there is no such call.";

constexpr int kX32Bit = 0x40000000;

std::string describe_refusal(const Group& group) {
  constexpr std::uint32_t kErrnoAction = SCMP_ACT_ERRNO(0);
  if ((group.action & 0xffff0000U) == kErrnoAction) {
    return "refused with " + errno_name(static_cast<int>(group.action & 0xffffU));
  }
  return "refused, and named to the callback of torno_on_trap";
}

std::string describe(const Group& group) {
  switch (group.kind) {
    case Kind::kAllowed:
      return "allowed";
    case Kind::kByArguments:
      return "allowed for some arguments, else " + describe_refusal(group);
    case Kind::kTranslated:
      return "translated inside the process";
    case Kind::kBrokered:
      return "brokered";
    case Kind::kRefused:
      return describe_refusal(group);
  }
  return "";
}

std::optional<int> parse_number(const std::string& word) {
  int number = 0;
  const char* end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, number);
  if (error != std::errc{} || stopped != end || number < 0) return std::nullopt;
  return number;
}

// "" for a number that libseccomp has no name for.
std::string name_of(int number) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
  std::string result = name == nullptr ? "" : name;
  std::free(name);
  return result;
}

int unknown_number(int number) {
  if ((number & kX32Bit) != 0) {
    answer(std::to_string(number) + " is a call of the x32 ABI: the process is killed");
  } else {
    answer(std::to_string(number) + " is no call that this version knows: refused with ENOSYS, " +
           "or as unknown_syscall in the policy says");
  }
  return kExitOk;
}

int show(const std::string& word) {
  const std::optional<int> asked = parse_number(word);
  const std::string name = asked ? name_of(*asked) : word;
  if (asked && name.empty()) return unknown_number(*asked);
  const int number = asked ? *asked : filter::call_number(name);
  if (number < 0) {
    say_error("'" + escape(word) + "' is no system call of this architecture: " +
              "say a name such as openat, or a number such as 257");
    return kExitTrouble;
  }
  answer(name + " is number " + std::to_string(number) + " on x86_64");
  const Group* group = filter::group_of(name);
  if (group == nullptr) {
    answer("refused with ENOSYS, or as unknown_syscall in the policy says: not in Torno's table");
    return kExitOk;
  }
  std::string line = describe(*group);
  const std::string title(group->title);
  if (!line.starts_with(title) && name != title) line += " (" + title + ")";
  answer(line + ": " + std::string(group->reason));
  if (group->policy_may_allow) {
    answer("a policy may let it through: syscall { name: \"" + name + "\" action: ALLOW }");
  }
  return kExitOk;
}

}  // namespace

void add_syscall(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("syscall", "Tell a system call's number, name, and what becomes of it");
  auto word = std::make_shared<std::string>();
  command->add_option("CALL", *word, "Number or name of the call")->required();
  command->footer(kFooter);
  command->callback([word, &status] { status = show(*word); });
}

}  // namespace torno::cli
