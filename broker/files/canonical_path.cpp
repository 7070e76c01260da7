#include "broker/files/canonical_path.h"

#include <algorithm>
#include <cstring>

namespace torno::files {

void CanonicalPath::clear() {
  bytes_[0] = '/';
  bytes_[1] = '\0';
  size_ = 1;
}

namespace {

// Absolute, and made of components alone, as nearly every path is?
bool is_canonical(std::string_view text) {
  if (text.size() < 2 || text.front() != '/' || text.back() == '/') return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    // Also refuses names that begin with a dot: they take the other way.
    if (text[i - 1] == '/' && (text[i] == '/' || text[i] == '.')) return false;
  }
  return true;
}

}  // namespace

CanonicalPath::Append CanonicalPath::append(std::string_view text) {
  if (is_root() && text.size() < sizeof bytes_ && is_canonical(text)) {
    std::memcpy(bytes_, text.data(), text.size());
    size_ = text.size();
    bytes_[size_] = '\0';
    return Append::kDone;
  }
  for (Components next = split_first(text); !next.name.empty(); next = split_first(next.rest)) {
    if (next.name == ".") continue;
    if (next.name == "..") return Append::kDotDot;
    if (!push(next.name)) return Append::kTooLong;
  }
  return Append::kDone;
}

bool CanonicalPath::push(std::string_view name) {
  const std::size_t separator = is_root() ? 0 : 1;
  if (name.size() + separator + size_ >= sizeof bytes_) return false;
  if (separator != 0) bytes_[size_++] = '/';
  std::memcpy(bytes_ + size_, name.data(), name.size());
  size_ += name.size();
  bytes_[size_] = '\0';
  return true;
}

void CanonicalPath::pop() {
  const std::size_t slash = view().rfind('/');
  size_ = std::max<std::size_t>(slash, 1);
  bytes_[size_] = '\0';
}

bool is_at_or_beneath(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool names_directory(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return last.empty() || last == "." || last == "..";
}

Components split_first(std::string_view text) {
  const std::size_t begin = text.find_first_not_of('/');
  if (begin == std::string_view::npos) return {};
  const std::size_t end = std::min(text.find('/', begin), text.size());
  return {text.substr(begin, end - begin), text.substr(end)};
}

}  // namespace torno::files
