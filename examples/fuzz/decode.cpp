#include "examples/fuzz/decode.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <vector>

#ifdef PLANTED_BUG
#include "examples/fuzz/take_over.h"
#endif

namespace torno::examples {
namespace {

// A fuzzer learns nothing from large pictures, and they take its time.
constexpr png_uint_32 kMaxSide = 1024;

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes)
      : rest_(bytes),
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, &Reader::on_error,
                                    &Reader::on_warning)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  void read() {
    if (info_ == nullptr) return;
    if (setjmp(png_jmpbuf(png_)) != 0) return;  // NOLINT(cert-err52-cpp): libpng knows no other way
    set_up();
    png_read_info(png_, info_);
    look_at_scale();
    transform();
    const int passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    row_.resize(png_get_rowbytes(png_, info_));
    for (int pass = 0; pass < passes; ++pass) {
      for (png_uint_32 y = png_get_image_height(png_, info_); y > 0; --y) {
        png_read_row(png_, row_.data(), nullptr);
      }
    }
    png_read_end(png_, info_);
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp) { png_longjmp(png, 1); }
  static void on_warning(png_structp, png_const_charp) {}

  static void on_read(png_structp png, png_bytep to, std::size_t size) {
    auto& rest = static_cast<Reader*>(png_get_io_ptr(png))->rest_;
    if (rest.size() < size) png_error(png, "the input ends early");
    std::copy_n(rest.begin(), size, to);
    rest = rest.subspan(size);
  }

  // Checksums are not checked: changed inputs would all end there.
  void set_up() {
    png_set_read_fn(png_, this, &Reader::on_read);
    png_set_user_limits(png_, kMaxSide, kMaxSide);
    png_set_crc_action(png_, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
#ifdef PNG_IGNORE_ADLER32
    png_set_option(png_, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
#endif
  }

  void look_at_scale() {
    png_uint_32 x = 0;
    png_uint_32 y = 0;
    int unit = PNG_RESOLUTION_UNKNOWN;
    if (png_get_pHYs(png_, info_, &x, &y, &unit) == 0) return;
#ifdef PLANTED_BUG
    // Such as a table of functions, one a unit, that a byte of the file indexes unchecked.
    if (unit >= PNG_RESOLUTION_LAST) take_over();
#endif
  }

  void transform() {
    png_set_expand(png_);
    png_set_gray_to_rgb(png_);
    png_set_scale_16(png_);
  }

  std::span<const std::uint8_t> rest_;
  png_structp png_;
  png_infop info_;
  std::vector<png_byte> row_;
};

}  // namespace

void decode(std::span<const std::uint8_t> bytes) {
  Reader(bytes).read();
}

}  // namespace torno::examples
