// Enter: the seal of a program that `torno run` started. Its notify filter has confined it from the
// first instruction, so threads that are there, and descriptors that are in use, endanger nothing.
#pragma once

#include "sandboxee/failure.h"

namespace torno {

// On the control socket that the launcher put at CONTROL_FD.
bool enter_launched(Failure& fail);

}  // namespace torno
