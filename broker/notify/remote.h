// Remote: has another thread make a system call. chdir(2) changes what only the thread itself can
// change, and the kernel must not look the path up once more; so the thread is given the directory
// that was vetted as a descriptor, and made to call fchdir(2) and close(2) on its way back from the
// call that waits in the notification (ptrace(2)).
#pragma once

#include <sys/types.h>

#include "broker/notify/listener.h"

namespace torno::notify {

// Ends the wait of `call` with fchdir(`directory`): true, and the call returns what that did.
// False: the thread cannot be steered (another tracer, yama's ptrace_scope) or is gone; `error` is
// what to answer if the call still waits. On a thread that may be held; it is the tracer meanwhile.
bool change_directory(const Listener& listener, const Notification& call, int directory,
                      int& error);

}  // namespace torno::notify
