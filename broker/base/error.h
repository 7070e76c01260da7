// Error: what a failed step of the broker says, in one sentence that names what to do next.
// Result<T> is std::expected<T, Error>; functions on the request path return errno values
// instead and never build a string.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace torno {

struct Error {
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

// "what: strerror(error)".
Error system_error(std::string_view what, int error);

// The errno value's name ("EACCES"), or its number in digits.
std::string errno_name(int error);

// Bytes as printable ASCII on one line: others as \xNN, a backslash as \\.
std::string escape(std::string_view bytes);

}  // namespace torno
