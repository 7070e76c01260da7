#include "sandboxee/handler.h"

#include <signal.h>

#include "sandboxee/dispatch.h"
#include "sandboxee/foreign_sigsys.h"
#include "sandboxee/pool.h"
#include "sandboxee/report.h"
#include "sandboxee/signals.h"

namespace torno {
namespace {

constexpr int kFromSeccomp = 1;  // si_code SYS_SECCOMP

// Runs on the trapped thread's stack, which may have 16 KiB in all, and may run again on top of
// itself (a callback that opens a file): no buffer here or below is larger than a few hundred
// bytes. errno is never touched: every system call is a raw one.
void handle(int, siginfo_t* info, void* raw_context) {
  auto* context = static_cast<ucontext_t*>(raw_context);
  if (info->si_code != kFromSeccomp || info->si_arch != arch::kAuditArch) {
    foreign_sigsys::deliver(info, context);
    return;
  }
  Trap trap{};
  trap.context = context;
  trap.number = info->si_syscall;
  for (int i = 0; i < 6; ++i) trap.args[i] = arch::argument(*context, i);
  trap.role = pool::adopt_process();

  const long result = dispatch(trap);
  arch::set_result(*context, result);
  if (trap.refused) report(trap, static_cast<int>(-result));
}

// SA_RESTART: a SIGSYS from kill(2) must not end the program's call with EINTR. SA_ONSTACK: a
// program with small stacks of its own (Go, coroutines) has an alternate one for handlers.
const KernelAction kAction = {
    reinterpret_cast<void*>(handle),
    SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART | kSaRestorer,
    arch::torno_signal_return,
    kHandlerMask,
};

long set_action(const KernelAction* action, KernelAction* before) {
  return raw::call(__NR_rt_sigaction, SIGSYS, action, before, sizeof(KernelMask));
}

}  // namespace

long install_handler() {
  KernelAction before;
  const long error = set_action(&kAction, &before);
  if (error != 0) return error;
  foreign_sigsys::set_action(before);
  const KernelMask sigsys = bit(SIGSYS);
  return raw::call(__NR_rt_sigprocmask, SIG_UNBLOCK, &sigsys, nullptr, sizeof sigsys);
}

void remove_handler() {
  const KernelAction before = foreign_sigsys::action();
  set_action(&before, nullptr);
}

}  // namespace torno
