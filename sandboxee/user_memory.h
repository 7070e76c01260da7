// User memory: reads and writes at addresses the program gave, with EFAULT instead of a crash.
// Before each page is touched the kernel is asked whether it may be. A program that unmaps the
// page in between crashes: it races itself. Async-signal-safe.
#pragma once

#include <cstddef>

#include "sandboxee/raw.h"

namespace torno {

bool is_readable(raw::Word address, std::size_t size);

// Its bytes are lost.
bool make_writable(raw::Word address, std::size_t size);

bool copy_in(void* to, raw::Word from, std::size_t size);
bool copy_out(raw::Word to, const void* from, std::size_t size);

// Length of a path: -EFAULT, or -ENAMETOOLONG beyond MAX_PATH.
long path_length(raw::Word address);

}  // namespace torno
