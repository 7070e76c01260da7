// Variables: ${NAME} in the rules of a policy.
#pragma once

#include <expected>
#include <map>
#include <string>

namespace torno::policy {

struct Expanded {
  std::string text;
  bool used_variable = false;
};

// Replaces every ${NAME}; "\$" is the character, and a '$' by itself an error. In a glob a value
// stands for itself: a '*' in it is escaped, so that whoever chooses a value cannot widen the rule.
// The error is a sentence.
enum class InGlob { kNo, kYes };
std::expected<Expanded, std::string> expand(const std::string& text, InGlob in_glob,
                                            const std::map<std::string, std::string>& variables);

}  // namespace torno::policy
