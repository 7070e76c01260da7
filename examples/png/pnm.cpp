#include "examples/png/pnm.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace torno::examples {
namespace {

// PBM packs eight pixels a byte, the first in the highest bit, and says 1 for black.
void append_bits(const Image& image, std::string& out) {
  for (std::size_t y = 0; y < image.height; ++y) {
    const std::uint16_t* row = image.samples.data() + y * image.width;
    for (std::size_t x = 0; x < image.width; x += 8) {
      unsigned byte = 0;
      for (std::size_t bit = 0; bit < 8 && x + bit < image.width; ++bit) {
        if (row[x + bit] == 0) byte |= 0x80U >> bit;
      }
      out.push_back(static_cast<char>(byte));
    }
  }
}

void append_samples(const Image& image, std::string& out) {
  for (const std::uint16_t sample : image.samples) {
    if (image.maxval > 255) out.push_back(static_cast<char>(sample >> 8));
    out.push_back(static_cast<char>(sample & 0xff));
  }
}

std::unexpected<WriteFailure> failure(const char* what, int error) {
  return std::unexpected(WriteFailure{what, error});
}

}  // namespace

std::string to_pnm(const Image& image) {
  const bool bits = image.channels == 1 && image.maxval == 1;
  std::string out = bits ? "P4\n" : image.channels == 1 ? "P5\n" : "P6\n";
  out += std::to_string(image.width) + " " + std::to_string(image.height) + "\n";
  if (!bits) out += std::to_string(image.maxval) + "\n";
  out.reserve(out.size() + image.samples.size() * (image.maxval > 255 ? 2 : 1));
  bits ? append_bits(image, out) : append_samples(image, out);
  return out;
}

std::expected<void, WriteFailure> write_file(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return failure("create", errno);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      // Half a picture must not pass for a whole one.
      const int error = errno;
      if (ftruncate(fd, 0) != 0) return failure("write, and cannot empty,", error);
      close(fd);
      return failure("write", error);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (close(fd) != 0) return failure("write", errno);
  return {};
}

}  // namespace torno::examples
