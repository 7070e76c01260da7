#include "sandboxee/signals.h"

namespace torno {

KernelMask swap_signal_mask(KernelMask mask) {
  KernelMask before = 0;
  raw::call(__NR_rt_sigprocmask, raw::marked(SIG_SETMASK), &mask, &before, sizeof mask);
  return before;
}

bool is_interrupted(const Trap& trap) {
  KernelMask pending = 0;
  raw::call(__NR_rt_sigpending, &pending, sizeof pending);
  pending &= ~(trap.signal_mask() | bit(SIGSYS));
  for (int signal = 1; pending != 0 && signal <= 64; ++signal) {
    if ((pending & bit(signal)) == 0) continue;
    pending &= ~bit(signal);
    KernelAction action{};
    raw::call(__NR_rt_sigaction, signal, nullptr, &action, sizeof action.mask);
    const auto handler = reinterpret_cast<__sighandler_t>(action.handler);
    if (handler != SIG_DFL && handler != SIG_IGN && (action.flags & SA_RESTART) == 0) return true;
  }
  return false;
}

void die_by_sigsys() {
  // A trap while SIGSYS is blocked: the kernel ends the process, as it would for the default
  // action. open is trapped by every filter this handler runs under.
  swap_signal_mask(~KernelMask{0});
  raw::call(__NR_open, nullptr);
  for (;;) raw::call(__NR_exit_group, 128 + SIGSYS);
}

}  // namespace torno
