// Environment: the names in a policy's `environment`, and what they match.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace torno::policy {

// Torno's own variables, which lead to a broker. No policy lets them in.
inline constexpr std::string_view kTornoVariables = "TORNO_";

// Each is looked at for each variable of a launched program.
inline constexpr int kMaxEnvironmentNames = 1000;

// A variable's name: letters, digits and '_', no digit first, not Torno's. The error is a sentence.
std::expected<void, std::string> check_variable_name(std::string_view name);

// The same, or the beginning of a name with '*' behind it, or '*' alone.
std::expected<void, std::string> check_environment_name(std::string_view name);

// Does `name`, which is checked, mean `variable`?
bool environment_matches(std::string_view name, std::string_view variable);

}  // namespace torno::policy
