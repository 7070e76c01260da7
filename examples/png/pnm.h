// Writing a picture as PBM, PGM or PPM.
#pragma once

#include <expected>
#include <string>

#include "examples/png/image.h"

namespace torno::examples {

// The bytes of the file: P4 for two shades of gray, P5 for more, P6 for color.
std::string to_pnm(const Image& image);

// What could not be done to the file ("create"), and its errno value.
struct WriteFailure {
  const char* what;
  int error;
};

// Writes all of `bytes` to `path`, or leaves nothing of them there.
std::expected<void, WriteFailure> write_file(const std::string& path, const std::string& bytes);

}  // namespace torno::examples
