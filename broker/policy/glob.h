// Globs over one component of a path (or one abstract socket name): '*' is any run of bytes, '?'
// any one byte, a backslash takes the next byte as it is. A leading dot is a byte like any other.
#pragma once

#include <string>
#include <string_view>

namespace torno::policy {

// Does `glob` match the whole of `name`? Takes at most glob x name steps, and no memory. A glob
// that ends in a lone backslash matches nothing.
bool glob_match(std::string_view glob, std::string_view name) noexcept;

// Is every name that `narrow` matches matched by `wide`? A "yes" is certain; a "no" may be wrong
// for globs that say the same in different words.
bool glob_covers(std::string_view wide, std::string_view narrow) noexcept;

// Is there a name that both match?
bool glob_overlaps(std::string_view a, std::string_view b);

// The glob that matches exactly `literal`.
std::string glob_escape(std::string_view literal);

// The one spelling of all globs that differ in needless escapes and repeated '*' alone.
std::string glob_normal(std::string_view glob);

// A glob cut into the literal bytes every match begins and ends with, and the glob between them.
// A glob without a wildcard is all prefix, and `literal` is true.
struct GlobShape {
  std::string prefix;
  std::string middle;
  std::string suffix;
  bool literal = false;
};
GlobShape glob_shape(std::string_view glob);

}  // namespace torno::policy
