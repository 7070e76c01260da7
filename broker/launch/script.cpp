#include "broker/launch/script.h"

#include <algorithm>

namespace torno::launch {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kEnd = " \t\0"sv;

}  // namespace

std::optional<std::string> script_interpreter(std::string_view head) {
  if (!is_script(head)) return std::nullopt;
  head = head.substr(0, kScriptHead);
  const std::string_view text = head.substr(2);
  // The kernel looks no further for the line's end than a NUL, and reads a shorter file as if NULs
  // followed it.
  const std::size_t stop = std::min(text.find_first_of("\n\0"sv), text.size());
  const bool is_line = stop < text.size() && text[stop] == '\n';
  const std::string_view line = is_line ? text.substr(0, stop) : text;

  const std::size_t begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = line.find_first_of(kEnd, begin);
  // A name cut off at the last byte that was looked at would be another program's.
  if (end == std::string_view::npos && !is_line && head.size() == kScriptHead) return std::nullopt;
  const std::string_view name = line.substr(begin, end - begin);
  if (name.empty()) return std::nullopt;
  return std::string(name);
}

}  // namespace torno::launch
