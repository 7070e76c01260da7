// Image: a decoded picture, ready to be written as a PNM file.
#pragma once

#include <cstdint>
#include <vector>

namespace torno::examples {

struct Image {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 0;          // 1: gray, 3: red, green, blue
  std::uint32_t maxval = 0;            // what full intensity is
  std::vector<std::uint16_t> samples;  // row by row, width * channels a row
};

}  // namespace torno::examples
