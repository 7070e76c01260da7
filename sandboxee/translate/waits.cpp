// rt_sigsuspend, ppoll, pselect6, epoll_pwait, epoll_pwait2: the same call with a copy of the
// mask that lacks SIGSYS. The kernel puts the mask in force for the wait alone, so it does not
// matter that the handler itself has nearly everything blocked.
#include "sandboxee/signals.h"
#include "sandboxee/translate/translate.h"
#include "sandboxee/user_memory.h"

namespace torno::translate {
namespace {

// The last argument of pselect6 is a pointer to this.
struct MaskArgument {
  raw::Word mask;
  raw::Word size;
};

// Reads the mask at `address` without SIGSYS; 0 or the errno the kernel gives.
long read_mask(raw::Word address, raw::Word size, KernelMask& mask) {
  if (size != sizeof mask) return -EINVAL;
  if (!copy_in(&mask, address, sizeof mask)) return -EFAULT;
  mask &= ~bit(SIGSYS);
  return 0;
}

}  // namespace

long rt_sigsuspend(Trap& trap) {
  KernelMask mask;
  const long error = read_mask(trap.args[0], trap.args[1], mask);
  if (error != 0) return error;
  return raw::call(__NR_rt_sigsuspend, &mask, sizeof mask, raw::marked(0));
}

long ppoll(Trap& trap) {
  KernelMask mask;
  const long error = read_mask(trap.args[3], trap.args[4], mask);
  if (error != 0) return error;
  return raw::call(__NR_ppoll, trap.args[0], raw::marked(trap.args[1]), trap.args[2], &mask,
                   sizeof mask);
}

long pselect6(Trap& trap) {
  MaskArgument argument;
  if (!copy_in(&argument, trap.args[5], sizeof argument)) return -EFAULT;
  KernelMask mask;
  if (argument.mask != 0) {
    const long error = read_mask(argument.mask, argument.size, mask);
    if (error != 0) return error;
    argument.mask = raw::word(&mask);
  }
  return raw::call(__NR_pselect6, raw::marked(trap.args[0]), trap.args[1], trap.args[2],
                   trap.args[3], trap.args[4], &argument);
}

long epoll_pwait(Trap& trap) {
  KernelMask mask;
  const long error = read_mask(trap.args[4], trap.args[5], mask);
  if (error != 0) return error;
  return raw::call(__NR_epoll_pwait, raw::marked(trap.args[0]), trap.args[1], trap.args[2],
                   trap.args[3], &mask, sizeof mask);
}

long epoll_pwait2(Trap& trap) {
  KernelMask mask;
  const long error = read_mask(trap.args[4], trap.args[5], mask);
  if (error != 0) return error;
  return raw::call(__NR_epoll_pwait2, raw::marked(trap.args[0]), trap.args[1], trap.args[2],
                   trap.args[3], &mask, sizeof mask);
}

}  // namespace torno::translate
