#include "sandboxee/foreign_sigsys.h"

#include "sandboxee/published.h"

namespace torno::foreign_sigsys {
namespace {
Published<KernelAction> current;
}

KernelAction action() {
  return current.get();
}
void set_action(const KernelAction& action) {
  current.set(action);
}

void deliver(siginfo_t* info, ucontext_t* context) {
  const KernelAction wanted = current.get();
  const auto handler = reinterpret_cast<__sighandler_t>(wanted.handler);
  if (handler == SIG_IGN) return;
  if (handler == SIG_DFL) die_by_sigsys();
  if ((wanted.flags & SA_RESETHAND) != 0) current.set({});

  const KernelMask blocked = context->uc_sigmask.__val[0] | wanted.mask;
  const KernelMask before = swap_signal_mask(blocked & ~bit(SIGSYS));
  if ((wanted.flags & SA_SIGINFO) != 0) {
    reinterpret_cast<void (*)(int, siginfo_t*, void*)>(wanted.handler)(SIGSYS, info, context);
  } else {
    handler(SIGSYS);
  }
  swap_signal_mask(before);
}

}  // namespace torno::foreign_sigsys
