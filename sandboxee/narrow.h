// Narrow: a further policy for a process that is confined already.
#pragma once

#include "sandboxee/failure.h"

namespace torno {

bool narrow(const char* policy, Failure& fail);

}  // namespace torno
