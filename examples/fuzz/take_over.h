// The planted bug, for tests alone: what an input does that makes a decoder run its code.
#pragma once

namespace torno::examples {

// Tries every way to destroy the file that VICTIM names, then aborts.
[[noreturn]] void take_over();

}  // namespace torno::examples
