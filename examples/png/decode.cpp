#include "examples/png/decode.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>

namespace torno::examples {
namespace {

// A header of 30 bytes may claim 1,000,000 x 1,000,000 pixels; nothing near that is allocated.
constexpr std::uint64_t kMaxSamples = std::uint64_t{128} << 20;

class Decoder {
 public:
  Decoder()
      : png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &Decoder::on_error,
                                    &Decoder::on_warning)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  std::expected<Image, std::string> decode(std::FILE* file) {
    if (info_ == nullptr) return std::unexpected("libpng has no memory");
    if (!read_header(file) || !set_up_rows()) return std::unexpected(error_.data());
    if (std::uint64_t{image_.width} * image_.height * channels_in_file_ > kMaxSamples) {
      return std::unexpected("the image is larger than this program takes");
    }
    if (!read_rows()) return std::unexpected(error_.data());
    convert();
    return std::move(image_);
  }

 private:
  // libpng has no other way to report an error than a longjmp to here. `step` must hold no object
  // with a destructor.
  template <typename Step>
  bool guarded(Step step) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp)
    step();
    return true;
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    static_cast<Decoder*>(png_get_error_ptr(png))->keep(message);
    png_longjmp(png, 1);
  }

  static void on_warning(png_structp, png_const_charp) {}

  // Parts of libpng's messages (chunk names) come from the file.
  void keep(const char* message) {
    std::size_t used = 0;
    for (; message[used] != '\0' && used + 1 < error_.size(); ++used) {
      const char c = message[used];
      error_[used] = c >= ' ' && c <= '~' ? c : '?';
    }
    error_[used] = '\0';
  }

  bool read_header(std::FILE* file) {
    return guarded([&] {
      png_init_io(png_, file);
      png_read_info(png_, info_);
      image_.width = png_get_image_width(png_, info_);
      image_.height = png_get_image_height(png_, info_);
      depth_ = png_get_bit_depth(png_, info_);
      color_type_ = png_get_color_type(png_, info_);
      png_colorp palette = nullptr;
      int count = 0;
      if (png_get_PLTE(png_, info_, &palette, &count) != 0) {
        palette_size_ = static_cast<std::size_t>(std::clamp(count, 0, 256));
        std::copy_n(palette, palette_size_, palette_.begin());
      }
    });
  }

  bool set_up_rows() {
    image_.maxval = is_palette() ? 255 : (1U << depth_) - 1;
    return guarded([&] {
      png_set_packing(png_);
      if ((color_type_ & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(png_);
      use_significant_bits();
      png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      channels_in_file_ = png_get_channels(png_, info_);
      row_bytes_ = png_get_rowbytes(png_, info_);
    });
  }

  void use_significant_bits() {
    png_color_8p bits = nullptr;
    if (png_get_sBIT(png_, info_, &bits) == 0) return;
    const bool color = (color_type_ & PNG_COLOR_MASK_COLOR) != 0;
    if (color && (bits->red != bits->green || bits->red != bits->blue)) return;
    const unsigned significant = color ? bits->red : bits->gray;
    if (significant == 0 || significant >= depth_) return;
    image_.maxval = (1U << significant) - 1;
    if (!is_palette()) {
      png_set_shift(png_, bits);
      return;
    }
    for (png_color& entry : palette_) {
      entry.red = static_cast<png_byte>(entry.red >> (8 - significant));
      entry.green = static_cast<png_byte>(entry.green >> (8 - significant));
      entry.blue = static_cast<png_byte>(entry.blue >> (8 - significant));
    }
  }

  bool read_rows() {
    pixels_.resize(row_bytes_ * image_.height);
    rows_.resize(image_.height);
    for (std::size_t y = 0; y < rows_.size(); ++y) rows_[y] = pixels_.data() + y * row_bytes_;
    return guarded([&] {
      png_read_image(png_, rows_.data());
      png_read_end(png_, nullptr);
    });
  }

  void convert() {
    image_.channels = is_palette() ? (palette_has_color() ? 3 : 1) : channels_in_file_;
    image_.samples.reserve(std::size_t{image_.width} * image_.height * image_.channels);
    for (const png_bytep row : rows_) {
      for (std::size_t i = 0; i < std::size_t{image_.width} * channels_in_file_; ++i) {
        if (is_palette()) {
          // An index past the palette is black: the array always has 256 entries.
          push_palette_entry(palette_[row[i]]);
        } else if (depth_ == 16) {
          image_.samples.push_back(static_cast<std::uint16_t>(row[2 * i] << 8 | row[2 * i + 1]));
        } else {
          image_.samples.push_back(row[i]);
        }
      }
    }
  }

  void push_palette_entry(const png_color& entry) {
    image_.samples.push_back(entry.red);
    if (image_.channels == 1) return;
    image_.samples.push_back(entry.green);
    image_.samples.push_back(entry.blue);
  }

  bool is_palette() const { return color_type_ == PNG_COLOR_TYPE_PALETTE; }

  bool palette_has_color() const {
    return std::any_of(palette_.begin(), palette_.begin() + static_cast<long>(palette_size_),
                       [](const png_color& entry) {
                         return entry.red != entry.green || entry.green != entry.blue;
                       });
  }

  std::array<char, 160> error_{};
  png_structp png_;
  png_infop info_;
  Image image_;
  unsigned depth_ = 0;
  int color_type_ = 0;
  std::uint32_t channels_in_file_ = 0;
  std::size_t row_bytes_ = 0;
  std::array<png_color, 256> palette_{};
  std::size_t palette_size_ = 0;
  std::vector<png_byte> pixels_;
  std::vector<png_bytep> rows_;
};

}  // namespace

std::expected<Image, std::string> decode_png(std::FILE* file) {
  return Decoder().decode(file);
}

}  // namespace torno::examples
