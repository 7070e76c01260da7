// The embedded broker: a tornod that serves this process alone.
#pragma once

#include "sandboxee/failure.h"
#include "sandboxee/fd.h"

namespace torno {

// Starts `tornod --fd N` and gives the other end of its socket, or nothing and `fail` says why.
// The program never sees it as a child: no SIGCHLD, nothing for wait(2).
Fd start_embedded(Failure& fail);

}  // namespace torno
