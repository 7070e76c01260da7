// Refused: the answer to calls that neither the broker does nor the process may do itself.
#pragma once

#include "sandboxee/trap.h"

namespace torno {

// -EACCES for a call that names a path or an address, -ENOSYS for a number nobody knows, so that
// libc falls back to an older call, else -EPERM.
long refuse(Trap& trap);

}  // namespace torno
