// Find: the text of a policy, by name or by path.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/policy/file_identity.h"
#include "broker/policy/stamp.h"

namespace torno::policy {

struct PolicyText {
  std::string file;  // as messages name it: a path, or "<built-in>/base.policy"
  std::string text;
  std::optional<FileIdentity> identity;  // of the file it was read from
  Stamps stamps;  // of the file, and of those that would have been found instead of it
};

struct FindError {
  std::string message;
  bool unreadable = false;  // missing, or the kernel does not let it be read
  bool absent = false;      // there is no file of that path
};

// Larger than a policy of 100,000 rules; no typo in a path reads a disk image into memory.
inline constexpr std::size_t kMaxPolicySize = std::size_t{16} << 20;

// By name: NAME.policy in the first of `directories` that has it, else the built-in one.
std::expected<PolicyText, FindError> find_policy(const std::string& name,
                                                 const std::vector<std::string>& directories);

std::expected<PolicyText, FindError> read_policy(const std::string& path);

// The policies of policies/, as they were when Torno was built.
struct BuiltIn {
  std::string_view name;
  std::string_view text;
};
std::span<const BuiltIn> built_in_policies();

}  // namespace torno::policy
