#include "broker/policy/environment.h"

#include <algorithm>

#include "broker/base/error.h"

namespace torno::policy {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

bool is_name(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) && std::ranges::all_of(text, is_name_character);
}

std::unexpected<std::string> is_tornos(std::string_view name) {
  return std::unexpected("'" + escape(name) +
                         "' is Torno's own and leads to a broker, so it never stays; remove it");
}

}  // namespace

std::expected<void, std::string> check_variable_name(std::string_view name) {
  if (!is_name(name)) {
    return std::unexpected(
        "'" + escape(name) +
        "' is no variable's name: write letters, digits and '_', no digit first");
  }
  if (name.starts_with(kTornoVariables)) return is_tornos(name);
  return {};
}

std::expected<void, std::string> check_environment_name(std::string_view name) {
  const bool is_beginning = name.ends_with('*');
  const std::string_view text = name.substr(0, name.size() - (is_beginning ? 1 : 0));
  if (!(is_beginning && text.empty()) && !is_name(text)) {
    return std::unexpected("'" + escape(name) +
                           "' is no variable's name: write letters, digits and '_', no digit "
                           "first, and '*' at the end for every name that begins so");
  }
  if (text.starts_with(kTornoVariables)) return is_tornos(name);
  return {};
}

bool environment_matches(std::string_view name, std::string_view variable) {
  if (!name.ends_with('*')) return name == variable;
  return variable.starts_with(name.substr(0, name.size() - 1));
}

}  // namespace torno::policy
