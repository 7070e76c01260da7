// PNG files of every kind, written with libpng.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

namespace torno::examples {

struct Kind {
  std::string name;
  int color_type;  // PNG_COLOR_TYPE_*
  int depth;       // bits a sample
  bool interlaced = false;
  int significant_bits = 0;   // of an sBIT chunk; 0: none
  bool gray_palette = false;  // a palette without color
  std::uint32_t width = 37;   // no multiple of eight: the last byte of a packed row is partial
  std::uint32_t height = 23;
};

// How GoogleTest shows one.
inline void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

// The bytes of a PNG file of this kind, with noise for a picture.
std::string make_png(const Kind& kind);

}  // namespace torno::examples
