// Streams: standard input, output and error of a launched program, and pipes.
#pragma once

#include <array>

#include "broker/base/error.h"
#include "broker/base/fd.h"

namespace torno::launch {

using Streams = std::array<Fd, 3>;

struct Pipe {
  Fd read;
  Fd write;
};

// Both ends above 2, and closed by an exec.
Result<Pipe> make_pipe();

// /dev/null, above 2.
Result<Fd> open_null();

// A duplicate above 2: where a program's own streams are put in place it would be overwritten.
Result<Fd> duplicate(int fd);

// What is left to the launcher's own and is closed there becomes /dev/null: else the first file
// that is opened takes its place.
Result<void> fill(Streams& streams);

}  // namespace torno::launch
