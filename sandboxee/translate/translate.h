// Translate: calls that are answered inside the process, by the same call without what would
// break the sandbox (marked, so that the filter lets it through), or by another call.
#pragma once

#include "sandboxee/trap.h"

namespace torno::translate {

// Signals: SIGSYS stays unblocked and its action the library's.
long rt_sigaction(Trap& trap);
long rt_sigprocmask(Trap& trap);

// Waits with a mask of their own: SIGSYS is taken out of it.
long rt_sigsuspend(Trap& trap);
long ppoll(Trap& trap);
long pselect6(Trap& trap);
long epoll_pwait(Trap& trap);
long epoll_pwait2(Trap& trap);

// Limits: descriptors beyond the seal's stay out of reach.
long setrlimit(Trap& trap);
long prlimit64(Trap& trap);

long umask(Trap& trap);
long close_range(Trap& trap);

// Messages without address and control data, as sendto.
long sendmsg(Trap& trap);
long sendmmsg(Trap& trap);

}  // namespace torno::translate
