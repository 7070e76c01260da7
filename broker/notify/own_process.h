// Calls that go by a process's number and reach the caller's own process alone: nothing of them
// lies in memory but what is the caller's own, so the kernel may perform them.
#pragma once

#include "broker/notify/call.h"

namespace torno::notify {

bool reaches_only_itself(const Call& call);

}  // namespace torno::notify
