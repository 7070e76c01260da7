// Process: what tornod does to itself before it serves anybody.
#pragma once

#include "broker/base/error.h"
#include "broker/base/fd.h"

namespace torno::server {

// Modes arrive masked by the client, so no umask of the broker's; as many descriptors as the hard
// limit permits; SIGPIPE ignored; not dumpable, so that a process of the same user can neither
// trace the broker nor open its /proc/PID/mem, /proc/PID/fd or /proc/PID/cwd.
void prepare_process();

// Takes the control socket `number` that the starter left, and closes every other descriptor it
// left: a pipe end that a broker holds would keep the pipe open for as long as it runs. Standard
// input and output become /dev/null; standard error stays, for messages.
Result<Fd> take_control(int number);

}  // namespace torno::server
