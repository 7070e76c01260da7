// Emulated: calls that no policy speaks of and that the broker performs in the program's place.
#pragma once

#include "broker/notify/call.h"
#include "broker/notify/listener.h"

namespace torno::notify {

// False: the call is none of them.
bool emulate(const Call& call, const Listener& listener, Texts& texts);

}  // namespace torno::notify
