#include "broker/policy/path_pattern.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "broker/base/error.h"
#include "broker/policy/glob.h"

namespace torno::policy {
namespace {

constexpr std::size_t kMaxPath = 4095;      // PATH_MAX without the NUL: the kernel takes no more
constexpr std::size_t kMaxComponent = 255;  // NAME_MAX

std::string quoted(std::string_view text) {
  return "'" + escape(text) + "'";
}

std::expected<Component, std::string> parse_component(std::string_view text) {
  if (text == "**") return Component{Component::Kind::kAnyDepth, "**"};
  bool run_before = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '*' && run_before) {
      return std::unexpected("'**' is glued to other characters in " + quoted(text) +
                             "; let '**' stand between slashes, or write a single '*'");
    }
    run_before = c == '*';
    if (c == '[' || c == '{') {
      return std::unexpected(std::string("'") + c + "' in " + quoted(text) +
                             " begins no character class or alternative here; write one rule for "
                             "each name, or '\\\\" +
                             c + "' for the character itself");
    }
    if (c == '\\' && ++i == text.size()) {
      return std::unexpected("a backslash at the end of " + quoted(text) +
                             " escapes nothing; remove it, or write it twice");
    }
  }
  GlobShape shape = glob_shape(text);
  if (!shape.literal) {
    if (shape.prefix.size() + shape.suffix.size() > kMaxComponent) {
      return std::unexpected("a file name has at most 255 bytes; shorten the one that begins " +
                             quoted(text.substr(0, 20)));
    }
    return Component{Component::Kind::kGlob, glob_normal(text)};
  }
  if (shape.prefix == "." || shape.prefix == "..") {
    return std::unexpected("'" + shape.prefix +
                           "' is no part of a rule's path; write the path it leads to");
  }
  if (shape.prefix.size() > kMaxComponent) {
    return std::unexpected("a file name has at most 255 bytes; shorten the one that begins " +
                           quoted(text.substr(0, 20)));
  }
  return Component{Component::Kind::kLiteral, std::move(shape.prefix)};
}

// Where the component that starts at `from` ends; a slash cannot be escaped.
std::size_t component_end(std::string_view text, std::size_t from) {
  return std::min(text.find('/', from), text.size());
}

bool component_overlaps(const Component& a, const Component& b) {
  using Kind = Component::Kind;
  if (a.kind == Kind::kLiteral && b.kind == Kind::kLiteral) return a.text == b.text;
  if (a.kind == Kind::kLiteral) return glob_match(b.text, a.text);
  if (b.kind == Kind::kLiteral) return glob_match(a.text, b.text);
  return glob_overlaps(a.text, b.text);
}

}  // namespace

std::expected<PathPattern, std::string> PathPattern::parse(std::string_view text) {
  if (text.empty()) return std::unexpected("the path is empty; write an absolute one");
  if (text.find('\0') != std::string_view::npos) {
    return std::unexpected("the path holds a NUL byte, which no file name can; remove it");
  }
  if (text.front() != '/') {
    return std::unexpected("the path " + quoted(text) +
                           " is relative; begin it with '/' or with a variable such as ${CWD}");
  }
  if (text.size() > kMaxPath) {
    return std::unexpected("the path has more than 4095 bytes; no call can name it, shorten it");
  }
  PathPattern pattern;
  if (text == "/") return pattern;
  if (text.back() == '/') {
    return std::unexpected("the path " + quoted(text) +
                           " ends in '/'; remove it, or write '/**' for everything beneath");
  }
  for (std::size_t at = 1; at <= text.size();) {
    const std::size_t end = component_end(text, at);
    if (end == at) {
      return std::unexpected("the path " + quoted(text) +
                             " has an empty component ('//'); write a single '/'");
    }
    auto component = parse_component(text.substr(at, end - at));
    if (!component) return std::unexpected(std::move(component.error()));
    // "**/**" says no more than "**".
    const bool repeated = component->kind == Component::Kind::kAnyDepth &&
                          !pattern.components.empty() &&
                          pattern.components.back().kind == Component::Kind::kAnyDepth;
    if (!repeated) pattern.components.push_back(std::move(*component));
    at = end + 1;
  }
  return pattern;
}

PathPattern PathPattern::literal(std::string_view path) {
  PathPattern pattern;
  for (std::size_t at = 1; at < path.size();) {
    const std::size_t end = component_end(path, at);
    pattern.components.push_back(
        {Component::Kind::kLiteral, std::string(path.substr(at, end - at))});
    at = end + 1;
  }
  return pattern;
}

std::string PathPattern::text() const {
  if (components.empty()) return "/";
  std::string out;
  for (const Component& component : components) {
    out += '/';
    out +=
        component.kind == Component::Kind::kLiteral ? glob_escape(component.text) : component.text;
  }
  return out;
}

bool PathPattern::is_literal() const {
  return literal_components() == components.size();
}

std::size_t PathPattern::literal_components() const {
  const auto wild = std::ranges::find_if(components, [](const Component& component) {
    return component.kind != Component::Kind::kLiteral;
  });
  return static_cast<std::size_t>(wild - components.begin());
}

std::string PathPattern::literal_prefix() const {
  std::string out;
  for (std::size_t i = 0; i < literal_components(); ++i) out += '/' + components[i].text;
  return out.empty() ? "/" : out;
}

PathPattern PathPattern::with_prefix(std::string_view path) const {
  PathPattern out = literal(path);
  out.components.insert(out.components.end(),
                        components.begin() + static_cast<std::ptrdiff_t>(literal_components()),
                        components.end());
  return out;
}

bool overlaps(const PathPattern& a, const PathPattern& b) {
  const auto any_depth = [](const Component& c) { return c.kind == Component::Kind::kAnyDepth; };
  // reach[j]: some path is matched by the first i components of a and the first j of b.
  std::vector<bool> reach(b.components.size() + 1, false);
  reach[0] = true;
  for (std::size_t j = 0; j < b.components.size() && any_depth(b.components[j]); ++j) {
    reach[j + 1] = true;
  }
  for (const Component& l : a.components) {
    std::vector<bool> row(b.components.size() + 1, false);
    row[0] = reach[0] && any_depth(l);
    for (std::size_t j = 0; j < b.components.size(); ++j) {
      const Component& r = b.components[j];
      if (any_depth(l)) {
        row[j + 1] = reach[j + 1] || row[j];
      } else if (any_depth(r)) {
        row[j + 1] = row[j] || reach[j + 1];
      } else {
        row[j + 1] = reach[j] && component_overlaps(l, r);
      }
    }
    if (std::ranges::find(row, true) == row.end()) return false;
    reach = std::move(row);
  }
  return reach[b.components.size()];
}

}  // namespace torno::policy
