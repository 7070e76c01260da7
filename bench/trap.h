// A hand-written trap: openat, newfstatat and access raise SIGSYS, as in a sandboxee.
#pragma once

#include <csignal>

namespace torno::bench {

// What a handler needs of the trapped call.
struct TrappedCall {
  int nr;
  const char* path;  // of the program, not copied
  void* result;      // newfstatat's struct stat
};

// The answer goes where the kernel would have left it: -errno or the result.
using Answer = long (*)(const TrappedCall& call);

// Installs handler and filter; from then on `answer` makes the three calls. Exits on failure.
void trap_calls(Answer answer);

}  // namespace torno::bench
