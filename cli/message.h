// Messages: what the commands say. An answer goes to stdout, everything else to stderr, a line
// each: "torno: FILE:LINE:COL: error: TEXT" or "torno: error: TEXT".
#pragma once

#include <string_view>

#include "broker/policy/loader.h"

namespace torno::cli {

// A line of the answer itself. The caller escapes what comes from outside.
void answer(std::string_view line);

void say_error(std::string_view text);

void say(const policy::Diagnostic& diagnostic);

}  // namespace torno::cli
