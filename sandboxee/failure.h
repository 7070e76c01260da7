// Failure: the one line that torno_enter says when something failed, and its errno. A copy is kept
// for fatal(), since the caller may have given no buffer.
#pragma once

#include <cstddef>

namespace torno {

class Failure {
 public:
  Failure(char* buffer, std::size_t size);

  // Writes the line and keeps `error`; false, so that a failed step can end with it.
  [[gnu::format(printf, 3, 4)]] bool operator()(int error, const char* format, ...);
  // "what: strerror(error)".
  bool system(int error, const char* what);

  int error() const { return error_; }
  const char* text() const { return text_; }

 private:
  char text_[512];  // TORNO_ERROR_SIZE
  char* buffer_;
  std::size_t size_;
  int error_ = 0;
};

}  // namespace torno
