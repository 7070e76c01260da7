// Script: the first line of a file that begins with "#!", read as the kernel reads it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace torno::launch {

// What the kernel looks at.
inline constexpr std::size_t kScriptHead = 256;

inline bool is_script(std::string_view head) {
  return head.starts_with("#!");
}

// The interpreter that a script names; nothing where the kernel takes the line for none: no name
// stands there, or it may go on behind the first kScriptHead bytes. `head` is the first so many
// bytes of the file, or all of a shorter one. What stands behind the name is one argument, and
// names no file that the kernel opens.
std::optional<std::string> script_interpreter(std::string_view head);

}  // namespace torno::launch
