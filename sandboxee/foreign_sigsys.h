// A SIGSYS that no trap of the filter's sent: somebody used kill(2). It goes where the program
// wanted it; the real action of SIGSYS stays the library's.
#pragma once

#include "sandboxee/signals.h"

namespace torno::foreign_sigsys {

// What the program believes the action of SIGSYS to be.
KernelAction action();
void set_action(const KernelAction& action);

// Does what the kernel would do for that action.
void deliver(siginfo_t* info, ucontext_t* context);

}  // namespace torno::foreign_sigsys
