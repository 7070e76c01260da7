// Ask: sends one request to the broker and waits for its reply. Async-signal-safe.
#pragma once

#include <sys/socket.h>

#include "sandboxee/pool.h"
#include "sandboxee/receive.h"
#include "sandboxee/target.h"
#include "sandboxee/trap.h"

namespace torno {

struct Answer {
  long result;        // what the call returns, -errno for a failure
  Received received;  // its descriptors are the caller's
};

// `receive_flags`: MSG_CMSG_CLOEXEC for close-on-exec descriptors. With a result of 0 or more the
// slot holds the reply, and where `max_fds` is not 0, one to `max_fds` descriptors came beside it.
// All others are closed.
Answer ask(Slot& slot, Trap& trap, torno_wire_Request& request, const Target& target,
           int max_fds = 0, int receive_flags = MSG_CMSG_CLOEXEC);

}  // namespace torno
