// What of /proc a program is given at most, whatever its policy says: the broker may be root, and
// root reads page frames, kernel stacks and others' memory there. "/proc/self" is the program that
// asks. docs/policy.md shows the same tables, and a test compares them.
#pragma once

#include <optional>
#include <string_view>

#include "broker/policy/path_pattern.h"
#include "broker/policy/permission.h"

namespace torno::policy::procfs {

inline constexpr std::string_view kRoot = "/proc";
inline constexpr std::string_view kSelf = "/proc/self";

bool covers(std::string_view path);

// Is the name of an entry of /proc or task/ a process's or thread's?
bool is_number(std::string_view name);

// Is `path` beneath /proc/self (itself too)? Then its part beneath the process or thread.
std::optional<std::string_view> own_part(std::string_view path);

// Do the tables let the broker have `wanted` of the object at `path`, if the policy does?
bool permits(std::string_view path, Permissions wanted);

// Does every match of the pattern lie in /proc?
bool is_beneath(const PathPattern& pattern);

// Everything that the tables permit of some match of the pattern.
Permissions possible(const PathPattern& pattern);

}  // namespace torno::policy::procfs
