// Signals as the kernel sees them: masks of 64 bits, actions without libc's wrapping.
#pragma once

#include <signal.h>

#include <cstdint>

#include "sandboxee/trap.h"

namespace torno {

using KernelMask = std::uint64_t;

// struct sigaction of the kernel.
struct KernelAction {
  void* handler;
  unsigned long flags;
  void (*restorer)();
  KernelMask mask;
};

inline constexpr unsigned long kSaRestorer = 0x04000000;

constexpr KernelMask bit(int signal) {
  return KernelMask{1} << (signal - 1);
}

// What is blocked while the handler runs: everything but SIGSYS, which would kill on the next
// trap, and the signals of its own faults.
inline constexpr KernelMask kHandlerMask = ~(bit(SIGSYS) | bit(SIGSEGV) | bit(SIGBUS));

// Puts `mask` in force and returns the one before.
KernelMask swap_signal_mask(KernelMask mask);

// Waits in `wait` (a system call that sleeps) with the signals of the interrupted code unblocked,
// so that it ends with -EINTR, or is restarted, just as the program's own call would.
template <typename Wait>
long wait_interruptibly(const Trap& trap, Wait wait);

// Is a signal waiting that the interrupted code would take at once, through a handler that does
// not restart calls? It came while the handler had it blocked, and would have ended the call.
bool is_interrupted(const Trap& trap);

// Ends the process by SIGSYS, whatever its action.
[[noreturn]] void die_by_sigsys();

template <typename Wait>
long wait_interruptibly(const Trap& trap, Wait wait) {
  if (is_interrupted(trap)) return -EINTR;
  const KernelMask before = swap_signal_mask(trap.signal_mask() & ~bit(SIGSYS));
  const long result = wait();
  swap_signal_mask(before);
  return result;
}

}  // namespace torno
