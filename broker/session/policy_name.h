// PolicyName: which words of a peer may name a policy or a variable.
#pragma once

#include <algorithm>
#include <string_view>

#include "broker/session/limits.h"

namespace torno::session {

inline bool is_letter_or_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// A name: nothing that could leave the policy directories, hide in them or forge a log line.
inline bool is_policy_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxPolicyName && name[0] != '.' &&
         std::ranges::all_of(name, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

// A path to a policy file, as the loader tells paths from names.
inline bool is_policy_path(std::string_view path) {
  return path.size() <= kMaxPath && path.find('\0') == std::string_view::npos &&
         (path.find('/') != std::string_view::npos || path.ends_with(".policy"));
}

inline bool is_variable(std::string_view name) {
  return !name.empty() && name[0] >= 'A' && name[0] <= 'Z' && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace torno::session
