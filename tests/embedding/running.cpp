#include "tests/embedding/running.h"

#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace torno::embedding {

Sandbox::Options shell(const std::string& script) {
  Sandbox::Options options;
  options.arguments = {"/bin/sh", "-c", script};
  options.input = Sandbox::Stream::null();
  options.output = Sandbox::Stream::pipe();
  return options;
}

Sandbox must_start(const Sandbox::Options& options) {
  auto started = Sandbox::start(options);
  if (!started) throw std::runtime_error(started.error().message);
  return std::move(*started);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> piece;
  for (ssize_t size = 0; (size = ::read(fd, piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  return text;
}

std::string output_of(Sandbox& sandbox) {
  return read_all(sandbox.output());
}

}  // namespace torno::embedding
