// torno-unzip FILE: unpacks a gzip file from somebody else to standard output. gzip(1) does it,
// sealed: it has the file as its input, this program as its output, and may open nothing of the
// user's; what takes it over gets no further.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <torno/sandbox.hpp>

namespace {

using torno::Sandbox;

constexpr std::uint64_t kMemory = std::uint64_t{256} << 20U;
constexpr std::uint64_t kMostOutput = std::uint64_t{1} << 30U;  // of an archive that is a bomb

int fail(const char* what) {
  std::fprintf(stderr, "torno-unzip: error: %s\n", what);
  return 1;
}

// Passes on what gzip writes; false when it is too much, or nobody takes it.
bool copy(int from) {
  std::array<char, 65536> piece;
  std::uint64_t written = 0;
  for (;;) {
    const ssize_t size = ::read(from, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0 && std::fflush(stdout) == 0;
    const auto bytes = static_cast<std::size_t>(size);
    written += bytes;
    if (written > kMostOutput || std::fwrite(piece.data(), 1, bytes, stdout) != bytes) return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: torno-unzip FILE\n", stderr);
    return 2;
  }
  const int file = ::open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(std::strerror(errno));

  Sandbox::Options options;
  options.arguments = {"gzip", "-dc"};
  options.input = Sandbox::Stream::of(file);
  options.output = Sandbox::Stream::pipe();
  options.limits.memory = kMemory;
  options.limits.wall_time = std::chrono::minutes(1);
  options.limits.processes = 1;
  auto gzip = Sandbox::start(options);
  ::close(file);
  if (!gzip) return fail(gzip.error().message.c_str());

  const bool copied = copy(gzip->output());
  if (!copied) gzip->kill();
  const Sandbox::Result result = gzip->wait();
  if (!copied) return fail("the output is larger than 1 GiB, or cannot be written");
  return result.exit_code == 0 ? 0 : fail(("gzip: " + result.description).c_str());
}
