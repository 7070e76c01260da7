// Calls: the brokered system calls, one function a call. Each checks what the kernel checks
// before it looks at the path, asks the broker, and returns what the call returns.
#pragma once

#include "sandboxee/trap.h"

namespace torno::calls {

long open(Trap& trap);
long creat(Trap& trap);
long openat(Trap& trap);
long openat2(Trap& trap);

long stat(Trap& trap);
long lstat(Trap& trap);
long newfstatat(Trap& trap);
long statx(Trap& trap);

long access(Trap& trap);
long faccessat(Trap& trap);
long faccessat2(Trap& trap);

long readlink(Trap& trap);
long readlinkat(Trap& trap);

long connect(Trap& trap);

}  // namespace torno::calls
