// Finds the broker: TORNO_FD, TORNO_BROKER, /run/torno/broker.sock, else one of the program's own.
#pragma once

#include "sandboxee/failure.h"
#include "sandboxee/fd.h"

namespace torno {

// A connected SOCK_SEQPACKET socket, or nothing and `fail` says why.
Fd find_broker(bool may_embed, Failure& fail);

}  // namespace torno
