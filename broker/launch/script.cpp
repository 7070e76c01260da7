#include "broker/launch/script.h"

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
  const std::size_t stop = text.find('\n');
  const bool is_line = stop != std::string_view::npos;
  const std::string_view line = text.substr(0, stop);

  const std::size_t begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = line.find_first_of(kEnd, begin);
  // A name cut off at the last byte that was looked at would be another program's. Behind a shorter
  // file's end the kernel sees NULs.
  if (end == std::string_view::npos && !is_line && head.size() == kScriptHead) return std::nullopt;
  const std::string_view name = line.substr(begin, end - begin);
  if (name.empty()) return std::nullopt;
  return std::string(name);
}

}  // namespace torno::launch
