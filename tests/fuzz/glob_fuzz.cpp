// Any two strings as a glob and a name, and as a path pattern and a path. The matcher, the
// automaton and what they promise each other must agree.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "broker/policy/file_rules.h"
#include "broker/policy/glob.h"
#include "broker/policy/path_pattern.h"

using torno::policy::PathPattern;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check_glob(std::string_view glob, std::string_view name) {
  using namespace torno::policy;
  const bool matches = glob_match(glob, name);
  must(glob_match(glob_normal(glob), name) == matches);
  must(glob_match(glob_escape(name), name));
  must(glob_covers("*", glob) || glob.ends_with('\\'));
  must(!matches || glob_overlaps(glob, glob_escape(name)));
  const GlobShape shape = glob_shape(glob);
  must(!matches || (name.starts_with(shape.prefix) && name.ends_with(shape.suffix)));
}

void check_path(std::string_view text, std::string_view path) {
  using namespace torno::policy;
  const auto pattern = PathPattern::parse(text);
  if (!pattern) {
    for (const char c : pattern.error()) must(c >= 0x20 && c < 0x7f);
    return;
  }
  must(PathPattern::parse(pattern->text()) == *pattern);
  must(overlaps(*pattern, *pattern));
  FileRules rules;
  rules.add(*pattern, kRead, kNone, {});
  rules.finish();
  const bool allowed = rules.decide(path, kRead).allowed;
  must(!allowed || overlaps(*pattern, PathPattern::literal(path)));
  must((rules.paths().cover(*pattern, kRead, kNoRule).allow & kRead) != 0);
  if (pattern->is_literal()) must(rules.decide(pattern->literal_prefix(), kRead).allowed);
}

}  // namespace

// The two strings are separated by the first newline.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = all.find('\n');
  if (cut == std::string_view::npos) return 0;
  check_glob(all.substr(0, cut), all.substr(cut + 1));
  check_path(all.substr(0, cut), all.substr(cut + 1));
  return 0;
}
