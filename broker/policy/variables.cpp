#include "broker/policy/variables.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

#include "broker/base/error.h"
#include "broker/policy/glob.h"
#include "broker/policy/loader.h"

namespace torno::policy {
namespace {

std::string unknown(const std::string& name) {
  return "unknown variable ${" + name + "}; give it a value with --set " + name +
         "=VALUE, or use HOME, TMPDIR, UID, PID or CWD";
}

// "$HOME", as in a shell.
std::string lone_dollar(const std::string& text, std::size_t at) {
  const auto end = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, text.end(),
                                [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
  const std::string name(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, end);
  return "'$" + name + "' is no variable; write ${" + (name.empty() ? "NAME" : name) +
         "}, or '\\\\$' for the character itself";
}

}  // namespace

std::expected<Expanded, std::string> expand(const std::string& text, InGlob in_glob,
                                            const std::map<std::string, std::string>& variables) {
  Expanded out;
  for (std::size_t at = 0; at < text.size();) {
    // An escaped "${" names no variable, and its brace begins no alternative.
    if (in_glob == InGlob::kYes && text.compare(at, 3, "\\${") == 0) {
      out.text += "$\\{";
      at += 3;
      continue;
    }
    if (text.compare(at, 2, "\\$") == 0) {
      out.text += '$';
      at += 2;
      continue;
    }
    if (in_glob == InGlob::kYes && text[at] == '\\') {
      out.text += text.substr(at, 2);
      at += 2;
      continue;
    }
    if (text[at] != '$') {
      out.text += text[at++];
      continue;
    }
    if (text.compare(at, 2, "${") != 0) return std::unexpected(lone_dollar(text, at));
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) {
      return std::unexpected("'${' has no '}'; write ${NAME}");
    }
    const std::string name = text.substr(at + 2, end - at - 2);
    const auto variable = variables.find(name);
    if (variable == variables.end()) {
      return std::unexpected(unknown(escape(name)));
    }
    // "${ROOT}/**" with an empty value would be a rule for everything.
    if (variable->second.empty() || variable->second.find('\0') != std::string::npos) {
      return std::unexpected("the value of ${" + escape(name) +
                             "} is empty or holds a NUL byte; give it another");
    }
    out.text += in_glob == InGlob::kYes ? glob_escape(variable->second) : variable->second;
    out.used_variable = true;
    at = end + 1;
  }
  return out;
}

std::map<std::string, std::string> default_variables(unsigned uid, int pid,
                                                     const std::string& cwd) {
  std::map<std::string, std::string> variables = {
      {"TMPDIR", "/tmp"}, {"UID", std::to_string(uid)}, {"PID", std::to_string(pid)}};
  if (!cwd.empty()) variables["CWD"] = cwd;

  constexpr std::size_t kEntrySize = 16384;  // of one passwd entry; larger ones have no HOME
  std::vector<char> buffer(kEntrySize);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr &&
      found->pw_dir != nullptr && found->pw_dir[0] != '\0') {
    variables["HOME"] = found->pw_dir;
  }
  return variables;
}

}  // namespace torno::policy
