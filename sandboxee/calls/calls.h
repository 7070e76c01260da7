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

long mkdir(Trap& trap);
long mkdirat(Trap& trap);
long mknod(Trap& trap);
long mknodat(Trap& trap);

long rmdir(Trap& trap);
long unlink(Trap& trap);
long unlinkat(Trap& trap);

long rename(Trap& trap);
long renameat(Trap& trap);
long renameat2(Trap& trap);

long link(Trap& trap);
long linkat(Trap& trap);
long symlink(Trap& trap);
long symlinkat(Trap& trap);

long chmod(Trap& trap);
long fchmod(Trap& trap);
long fchmodat(Trap& trap);
long fchmodat2(Trap& trap);

long chown(Trap& trap);
long lchown(Trap& trap);
long fchown(Trap& trap);
long fchownat(Trap& trap);

long utime(Trap& trap);
long utimes(Trap& trap);
long futimesat(Trap& trap);
long utimensat(Trap& trap);

long truncate(Trap& trap);
long statfs(Trap& trap);

long connect(Trap& trap);

}  // namespace torno::calls
