#include "tests/examples/pictures.h"

#include <png.h>

#include <random>
#include <stdexcept>
#include <vector>

#include "tests/support/seed.h"

namespace torno::examples {
namespace {

void append(png_structp png, png_bytep data, png_size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<char*>(data), size);
}

[[noreturn]] void fail(png_structp, png_const_charp message) {
  throw std::runtime_error(message);
}

void set_palette(png_structp png, png_infop info, const Kind& kind) {
  std::vector<png_color> palette(std::size_t{1} << kind.depth);
  for (std::size_t i = 0; i < palette.size(); ++i) {
    const auto level = static_cast<png_byte>(i * 255 / (palette.size() - 1));
    const png_byte other = kind.gray_palette ? level : static_cast<png_byte>(255 - level);
    palette[i] = {level, other, level};
  }
  png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
}

void set_significant_bits(png_structp png, png_infop info, const Kind& kind) {
  const auto bits = static_cast<png_byte>(kind.significant_bits);
  const png_color_8 all = {bits, bits, bits, bits, bits};
  png_set_sBIT(png, info, &all);
}

}  // namespace

std::string make_png(const Kind& kind) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, &fail, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &bytes, &append, nullptr);
  png_set_IHDR(png, info, kind.width, kind.height, kind.depth, kind.color_type,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind.color_type == PNG_COLOR_TYPE_PALETTE) set_palette(png, info, kind);
  if (kind.significant_bits != 0) set_significant_bits(png, info, kind);
  png_write_info(png, info);

  std::mt19937 noise(test::seed(7));
  const std::size_t row_bytes = png_get_rowbytes(png, info);
  std::vector<png_byte> pixels(row_bytes * kind.height);
  for (png_byte& byte : pixels) byte = static_cast<png_byte>(noise());
  std::vector<png_bytep> rows(kind.height);
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = pixels.data() + y * row_bytes;
  png_write_image(png, rows.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

}  // namespace torno::examples
