#include "tests/broker/policy/reference.h"

namespace torno::policy::reference {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> components;
  std::string component;
  for (std::size_t i = 1; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') {
      component += path[i];
    } else if (!component.empty()) {
      components.push_back(component);
      component.clear();
    }
  }
  return components;
}

// Do the components of `pattern` from p match those of `path` from n?
bool matches(const std::vector<std::string>& pattern, std::size_t p,
             const std::vector<std::string>& path, std::size_t n) {
  if (p == pattern.size()) return n == path.size();
  if (pattern[p] == "**") {
    return matches(pattern, p + 1, path, n) ||
           (n < path.size() && matches(pattern, p, path, n + 1));
  }
  return n < path.size() && glob_match(pattern[p], path[n]) && matches(pattern, p + 1, path, n + 1);
}

// Is there a path strictly beneath `path` that `pattern` matches?
bool goes_on_beneath(const std::vector<std::string>& pattern, std::size_t p,
                     const std::vector<std::string>& path, std::size_t n) {
  if (p == pattern.size()) return false;
  if (n == path.size()) return true;
  if (pattern[p] == "**") {
    return goes_on_beneath(pattern, p + 1, path, n) || goes_on_beneath(pattern, p, path, n + 1);
  }
  return glob_match(pattern[p], path[n]) && goes_on_beneath(pattern, p + 1, path, n + 1);
}

Permissions allows(const Rule& rule) {
  const bool more_than_stat = (rule.allow & (kRead | kWrite | kCreate | kExecute)) != 0;
  return static_cast<Permissions>(rule.allow | (more_than_stat ? kStat : kNone));
}

Permissions denies(const Rule& rule) {
  return static_cast<Permissions>(rule.deny | ((rule.deny & kRead) != 0 ? kStat : kNone));
}

}  // namespace

bool glob_match(std::string_view glob, std::string_view name) {
  if (glob.empty()) return name.empty();
  if (glob[0] == '*') {
    return glob_match(glob.substr(1), name) || (!name.empty() && glob_match(glob, name.substr(1)));
  }
  if (name.empty()) return false;
  if (glob[0] == '?') return glob_match(glob.substr(1), name.substr(1));
  if (glob[0] == '\\') {
    return glob.size() > 1 && glob[1] == name[0] && glob_match(glob.substr(2), name.substr(1));
  }
  return glob[0] == name[0] && glob_match(glob.substr(1), name.substr(1));
}

Answer decide(const std::vector<Rule>& rules, std::string_view path, Permissions wanted) {
  const std::vector<std::string> components = split(path);
  Permissions allowed = kNone;
  Permissions denied = kNone;
  bool way = false;
  int denying = -1;
  int allowing = -1;
  const auto first_wanted = static_cast<Permissions>(wanted & -wanted);
  for (int i = 0; i < static_cast<int>(rules.size()); ++i) {
    const Rule& rule = rules[static_cast<std::size_t>(i)];
    const std::vector<std::string> pattern = split(rule.path);
    way = way || (rule.allow != kNone && goes_on_beneath(pattern, 0, components, 0));
    if (!matches(pattern, 0, components, 0)) continue;
    allowed |= allows(rule);
    denied |= denies(rule);
    if (denying < 0 && (denies(rule) & wanted) != 0) denying = i;
    if (allowing < 0 && (allows(rule) & first_wanted) != 0) allowing = i;
  }
  Answer answer;
  answer.allowed = wanted != kNone && (wanted & ~allowed) == 0 && (wanted & denied) == 0;
  answer.leads = !answer.allowed && way && (denied & (kStat | kRead)) == 0;
  answer.rule = answer.allowed ? allowing : denying;
  return answer;
}

std::string Random::name() {
  std::string out;
  do {
    out += "ab.*"[below(one_in(6) ? 4 : 2)];
  } while (!one_in(3));
  return out == "." || out == ".." ? "a" : out;
}

std::string Random::glob() {
  static constexpr const char* kPieces[] = {"a", "b", "?", "*", "\\*", ".", "\\a"};
  std::string out;
  do {
    const std::string piece = kPieces[below(one_in(3) ? 7 : 4)];
    // In a path "**" is a component of its own.
    if (piece == "*" && out.ends_with('*') && !out.ends_with("\\*")) continue;
    out += piece;
  } while (!one_in(3));
  return out == "." || out == ".." ? "*" : out;
}

std::string Random::path() {
  std::string out;
  for (unsigned left = below(6); left > 0; --left) out += '/' + name();
  return out.empty() ? "/" : out;
}

std::string Random::pattern() {
  std::string out;
  for (unsigned left = below(5); left > 0; --left) {
    if (one_in(5)) {
      out += "/**";
    } else {
      out += '/' + (one_in(2) ? glob() : std::string(one_in(2) ? "a" : "b"));
    }
  }
  return out.empty() ? "/" : out;
}

Permissions Random::some(Permissions of) {
  return static_cast<Permissions>(below(1U << 9) & of);
}

}  // namespace torno::policy::reference
