// PathPattern: the path of a rule, cut into components.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace torno::policy {

struct Component {
  enum class Kind {
    kLiteral,   // text is the name itself
    kGlob,      // text is a glob with a wildcard in it, in its normal form (glob.h)
    kAnyDepth,  // "**": any number of components, none too
  };
  Kind kind = Kind::kLiteral;
  std::string text;

  bool operator==(const Component&) const = default;
};

struct PathPattern {
  std::vector<Component> components;  // none: "/"

  // The error is a sentence that begins with what is wrong and says what to write instead.
  static std::expected<PathPattern, std::string> parse(std::string_view text);

  // A path without wildcards; it must be absolute, and free of "", "." and "..".
  static PathPattern literal(std::string_view path);

  // What parse() reads as this pattern.
  std::string text() const;

  bool is_literal() const;

  // The path that every match begins with: "/usr/lib" of "/usr/lib/*/x", "/" of "/**".
  std::string literal_prefix() const;
  std::size_t literal_components() const;

  // This pattern with its literal prefix replaced.
  PathPattern with_prefix(std::string_view path) const;

  bool operator==(const PathPattern&) const = default;
};

// Is there a path that both match?
bool overlaps(const PathPattern& a, const PathPattern& b);

}  // namespace torno::policy
