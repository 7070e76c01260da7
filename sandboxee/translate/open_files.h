// Open files: RLIMIT_NOFILE as the program believes it to be. While a channel is placed the
// kernel's soft limit is higher for a moment, so what to go back to is remembered here and never
// read back.
#pragma once

#include <cstdint>

#include "sandboxee/trap.h"

namespace torno::open_files {

// Before the seal: the limits to keep from now on.
void remember(std::uint64_t soft, std::uint64_t hard);

// Lifts the soft limit to the hard one, so that the reserved descriptors are in reach, and puts
// it back.
void raise();
void restore();

// setrlimit(RLIMIT_NOFILE) by the program, under the seal's limits.
long change(Trap& trap, std::uint64_t soft, std::uint64_t hard);

}  // namespace torno::open_files
