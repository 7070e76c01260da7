#include "broker/launch/environment.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "broker/policy/environment.h"

namespace torno::launch {
namespace {

using policy::kTornoVariables;

constexpr std::string_view kLoaderVariables = "LD_";

// What glibc itself takes out of a set-user-ID program's environment (sysdeps/generic/unsecvars.h,
// and its tunables), beside LD_*. TMPDIR is on that list and not on this one: programs need it, and
// it only says where a file is made, which the policy decides.
constexpr std::string_view kUnsafe[] = {
    "GCONV_PATH",   "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES",      "LOCALDOMAIN", "LOCPATH",
    "MALLOC_TRACE", "NIS_PATH",    "NLSPATH",        "RESOLV_HOST_CONF", "RES_OPTIONS", "TZDIR",
};

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool is_unsafe(std::string_view name) {
  return name.starts_with(kLoaderVariables) ||
         std::ranges::find(kUnsafe, name) != std::end(kUnsafe);
}

// Whether an entry of the policy's `environment` keeps the variable.
bool keeps(std::string_view entry, std::string_view name) {
  if (!policy::environment_matches(entry, name)) return false;
  return !is_unsafe(name) || entry == name || entry.starts_with(kLoaderVariables);
}

bool stays(const policy::PolicyFile& policy, std::string_view name) {
  if (name.starts_with(kTornoVariables)) return false;
  if (policy.environment().empty()) return !is_unsafe(name);
  return std::ranges::any_of(policy.environment(),
                             [name](const std::string& entry) { return keeps(entry, name); });
}

// What the command line says of a variable: its "NAME=VALUE", or nothing: the caller's.
using Options = std::map<std::string, std::optional<std::string>, std::less<>>;

Result<Options> read_options(std::span<const std::string> options) {
  Options read;
  for (const std::string& option : options) {
    const std::string_view name = name_of(option);
    if (const auto checked = policy::check_variable_name(name); !checked) {
      return std::unexpected(Error{"--env: " + checked.error()});
    }
    if (option.find('\0') != std::string::npos) {
      return std::unexpected(Error{"--env: the value of " + std::string(name) + " holds a NUL"});
    }
    const bool has_value = name.size() < option.size();
    read.insert_or_assign(std::string(name), has_value ? std::optional(option) : std::nullopt);
  }
  return read;
}

}  // namespace

Result<std::vector<std::string>> make_environment(const policy::PolicyFile& policy,
                                                  std::span<const std::string> caller,
                                                  std::span<const std::string> options) {
  const auto said = read_options(options);
  if (!said) return std::unexpected(said.error());

  std::vector<std::string> made;
  std::set<std::string_view> seen;
  for (const std::string& variable : caller) {
    const std::string_view name = name_of(variable);
    // Without a name or a '=' it is no variable to anybody.
    if (name.empty() || name.size() == variable.size()) continue;
    if (!seen.insert(name).second) continue;
    const auto option = said->find(name);
    if (option != said->end() ? !option->second.has_value() : stays(policy, name)) {
      made.push_back(variable);
    }
  }
  for (const auto& [name, variable] : *said) {
    if (variable) made.push_back(*variable);
  }
  return made;
}

}  // namespace torno::launch
