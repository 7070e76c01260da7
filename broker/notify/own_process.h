// Calls that go by the number of a process or user and reach no more than the caller's own: nothing
// of them lies in memory but what is the caller's own, so the kernel may perform them.
#pragma once

#include "broker/notify/call.h"

namespace torno::notify {

bool reaches_only_itself(const Call& call);

}  // namespace torno::notify
