#include "broker/launch/streams.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace torno::launch {
namespace {

Result<Fd> lift(Fd fd) {
  if (fd.get() > STDERR_FILENO) return fd;
  return duplicate(fd.get());
}

}  // namespace

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(system_error("pipe", errno));
  Fd first(ends[0]);
  Fd second(ends[1]);
  auto read = lift(std::move(first));
  if (!read) return std::unexpected(read.error());
  auto write = lift(std::move(second));
  if (!write) return std::unexpected(write.error());
  return Pipe{std::move(*read), std::move(*write)};
}

Result<Fd> open_null() {
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return std::unexpected(system_error("/dev/null", errno));
  return lift(std::move(null));
}

Result<Fd> duplicate(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!copy) return std::unexpected(system_error("cannot duplicate a descriptor", errno));
  return copy;
}

Result<void> fill(Streams& streams) {
  for (std::size_t number = 0; number < streams.size(); ++number) {
    if (streams[number] || ::fcntl(static_cast<int>(number), F_GETFD) >= 0) continue;
    auto null = open_null();
    if (!null) return std::unexpected(null.error());
    streams[number] = std::move(*null);
  }
  return {};
}

}  // namespace torno::launch
