// Handshake: Hello, and the broker's Welcome or Refused.
#pragma once

#include "sandboxee/failure.h"
#include "sandboxee/terms.h"

namespace torno {

// Waits a bounded time for the answer.
bool shake_hands(int control, const char* policy, Terms& terms, Failure& fail);

}  // namespace torno
