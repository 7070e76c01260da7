// Groups: every system call, once, with what becomes of it when no condition (conditions.h) and
// no rule of the policy answers. docs/syscalls.md shows the same table; a test compares them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace torno::filter {

enum class Kind {
  kAllowed,      // runs in the kernel; conditions may take single shapes away
  kByArguments,  // runs in the kernel only in the shapes that conditions.h names
  kTranslated,   // trapped and reissued, marked, by the sandboxee's handler
  kBrokered,     // trapped and asked of the broker
  kRefused,
};

struct Group {
  std::string_view title;
  Kind kind;
  std::uint32_t action;  // SCMP_ACT_*
  std::string_view reason;
  std::vector<std::string_view> calls;
  // A policy may let these through with `syscall { action: ALLOW }`: they reach nothing new.
  bool policy_may_allow = false;
};

std::span<const Group> groups();

// The group that holds the call; null for a name in none.
const Group* group_of(std::string_view call);

// Splits at spaces: how the tables are written.
std::vector<std::string_view> words(std::string_view text);

// groups() is these, one file each.
std::vector<Group> allowed_groups();
std::vector<Group> mediated_groups();
std::vector<Group> refused_groups();

}  // namespace torno::filter
