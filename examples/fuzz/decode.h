// What is fuzzed: libpng, reading a picture from memory.
#pragma once

#include <cstdint>
#include <span>

namespace torno::examples {

// Reads the whole picture. Bytes that are none are no error: libpng has said so, which is all it
// is asked for.
void decode(std::span<const std::uint8_t> bytes);

}  // namespace torno::examples
