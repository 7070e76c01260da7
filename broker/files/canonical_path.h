// CanonicalPath: what a verdict is given on. Absolute, no ".", "..", empty components; whether it
// is free of symlinks is for the kernel to say (RESOLVE_NO_SYMLINKS). A buffer of its own: the
// warm path allocates nothing.
#pragma once

#include <climits>
#include <cstddef>
#include <string_view>

namespace torno::files {

class CanonicalPath {
 public:
  enum class Append {
    kDone,
    kDotDot,   // text alone cannot tell where ".." leads
    kTooLong,  // PATH_MAX
  };

  CanonicalPath() { clear(); }

  // Back to "/".
  void clear();
  // Adds the components of `text`, which may hold "." and empty ones. Half done on failure.
  Append append(std::string_view text);
  // Adds one component; false, and unchanged, if the path would be too long.
  bool push(std::string_view name);
  // Takes the last component away; "/" stays.
  void pop();

  std::string_view view() const { return {bytes_, size_}; }
  bool is_root() const { return size_ == 1; }
  // For openat2 from the root directory: without the leading '/', "." for the root itself.
  const char* below_root() const { return is_root() ? "." : bytes_ + 1; }

 private:
  char bytes_[PATH_MAX];  // ends in NUL
  std::size_t size_;
};

// Is `path` the canonical path `directory` or something beneath it?
bool is_at_or_beneath(std::string_view path, std::string_view directory);

// A path ending in '/', "." or ".." is a directory's, or there is nothing at it.
bool names_directory(std::string_view path);

// The first component of `text`, and what stands behind it (with its leading '/').
struct Components {
  std::string_view name;  // empty: there is none
  std::string_view rest;
};
Components split_first(std::string_view text);

}  // namespace torno::files
