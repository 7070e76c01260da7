// Connecting a socket that blocks.
#pragma once

#include "broker/files/files.h"
#include "broker/notify/call.h"

namespace torno::notify {

bool blocks(int socket);

// On a thread that may be held: connects, and waits until it is done, SO_SNDTIMEO is over or the
// thread is interrupted (EINTR).
files::Outcome connect_and_wait(const files::Files& files, const policy::PolicyStack& policy,
                                const Call& call);

}  // namespace torno::notify
