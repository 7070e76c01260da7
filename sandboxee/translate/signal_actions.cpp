// rt_sigaction and rt_sigprocmask.
#include <sys/ucontext.h>

#include "sandboxee/foreign_sigsys.h"
#include "sandboxee/signals.h"
#include "sandboxee/translate/translate.h"
#include "sandboxee/user_memory.h"

namespace torno::translate {

long rt_sigaction(Trap& trap) {
  const int signal = trap.as_int(0);
  if (trap.args[3] != sizeof(KernelMask)) return -EINVAL;
  KernelAction action{};
  const bool sets = trap.args[1] != 0;
  if (sets && !copy_in(&action, trap.args[1], sizeof action)) return -EFAULT;
  if (signal != SIGSYS) {
    action.mask &= ~bit(SIGSYS);
    return raw::call(__NR_rt_sigaction, raw::marked(trap.args[0]), sets ? &action : nullptr,
                     trap.args[2], trap.args[3]);
  }
  const KernelAction before = foreign_sigsys::action();
  if (sets && trap.may_remember()) foreign_sigsys::set_action(action);
  if (trap.args[2] != 0 && !copy_out(trap.args[2], &before, sizeof before)) return -EFAULT;
  return 0;
}

// The mask of the interrupted code is in force again when the handler returns, so it is changed
// there.
long rt_sigprocmask(Trap& trap) {
  if (trap.args[3] != sizeof(KernelMask)) return -EINVAL;
  const KernelMask before = trap.signal_mask();
  if (trap.args[1] != 0) {
    KernelMask set;
    if (!copy_in(&set, trap.args[1], sizeof set)) return -EFAULT;
    set &= ~(bit(SIGSYS) | bit(SIGKILL) | bit(SIGSTOP));
    switch (trap.as_int(0)) {
      case SIG_BLOCK:
        trap.set_signal_mask(before | set);
        break;
      case SIG_UNBLOCK:
        trap.set_signal_mask(before & ~set);
        break;
      case SIG_SETMASK:
        trap.set_signal_mask(set);
        break;
      default:
        return -EINVAL;
    }
  }
  if (trap.args[2] != 0 && !copy_out(trap.args[2], &before, sizeof before)) return -EFAULT;
  return 0;
}

}  // namespace torno::translate
