// Fatal: the end of a process that is half confined.
#pragma once

#include "sandboxee/failure.h"

namespace torno {

// "torno: TEXT" to standard error, then exit status 125.
[[noreturn]] void fatal(const Failure& why);

}  // namespace torno
