// Dispatch: one table row a system call that the filter may hand to the handler.
#pragma once

#include "sandboxee/trap.h"

namespace torno {

// What the call returns, -errno for a failure.
long dispatch(Trap& trap);

}  // namespace torno
