// Peer identity: who is at the other end of a socket, as the kernel says. Nothing a message
// claims enters here.
#pragma once

#include "broker/base/error.h"
#include "broker/session/services.h"

namespace torno::server {

// A process id may be used again as soon as its process is gone. What is read by it (the working
// directory) counts only when the process that connected was still alive afterwards.
Result<session::Peer> identify(int socket);

}  // namespace torno::server
