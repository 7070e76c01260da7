// Names of the system calls of this architecture, from the kernel's header at build time.
#pragma once

namespace torno {

// "openat"; null for a number the header does not have.
const char* syscall_name(int number);

}  // namespace torno
