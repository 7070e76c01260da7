// Report: tells the callback of torno_on_trap about a refused call.
#pragma once

#include "sandboxee/trap.h"

namespace torno {

void report(const Trap& trap, int error);

}  // namespace torno
