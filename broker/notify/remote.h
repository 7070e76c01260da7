// Remote: has another thread do something on its way back from a call that waits in a notification
// (ptrace(2)).
//
// A directory to work in can only be changed by the thread itself, and the kernel must not look the
// path up once more; so the thread is made to call fchdir(2) on the directory that was vetted. And
// SECCOMP_IOCTL_NOTIF_ADDFD gives no O_PATH descriptors, which a socket does; so the thread is made
// to receive it.
#pragma once

#include <functional>

#include "broker/notify/listener.h"

namespace torno::notify {

// All: true, and the call has returned in the caller's eyes. False: the thread cannot be steered
// (yama's ptrace_scope, another tracer) or is gone, and `error` is what to answer if it still
// waits. On a thread that may be held, which is the tracer meanwhile.

// fchdir(`directory`), an O_PATH descriptor or not.
bool change_directory(const Listener& listener, const Notification& call, int directory,
                      int& error);

// The call returns a descriptor for what `fd`, an O_PATH descriptor, is.
bool give_path(const Listener& listener, const Notification& call, int fd, bool close_on_exec,
               int& error);

// The call ends as one that a signal interrupted: with EINTR, or it is made once more, as the
// signal's action says, and once more too where another thread has taken the signal meanwhile. The
// kernel itself looks at that only when it was told of a signal for this thread; else the program
// would see ERESTARTSYS.
bool restart(const Listener& listener, const Notification& call);

// Has the call return `result`, and calls `then` before the thread sees that. False: nothing of the
// kind happened, and the call may still wait. On the thread of the Tracer.
bool hold_at_return(const Listener& listener, const Notification& call, long result,
                    const std::function<void()>& then);

}  // namespace torno::notify
