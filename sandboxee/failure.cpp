#include "sandboxee/failure.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace torno {
namespace {

// What the broker says and what a path holds goes in here too: no byte of it may end the line or
// drive a terminal.
void to_one_line(char* text) {
  for (; *text != '\0'; ++text) {
    const auto byte = static_cast<unsigned char>(*text);
    if (byte < 0x20 || byte == 0x7f) *text = '?';
  }
}

}  // namespace

Failure::Failure(char* buffer, std::size_t size)
    : text_{}, buffer_(buffer), size_(buffer == nullptr ? 0 : size) {
  if (size_ != 0) buffer_[0] = '\0';
}

bool Failure::operator()(int error, const char* format, ...) {
  error_ = error;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text_, sizeof text_, format, arguments);
  va_end(arguments);
  to_one_line(text_);
  if (size_ != 0) std::snprintf(buffer_, size_, "%s", text_);
  return false;
}

bool Failure::system(int error, const char* what) {
  return (*this)(error, "%s: %s", what, std::strerror(error));
}

}  // namespace torno
