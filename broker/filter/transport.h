// Transport: the way by which the calls that a program does not decide alone reach the broker.
#pragma once

namespace torno::filter {

enum class Transport {
  kTrap,    // SIGSYS to the sandboxee library in the process itself, which asks
  kNotify,  // SECCOMP_RET_USER_NOTIF to a supervisor: whatever the process is, from its exec on
  // As kTrap, in a process that a kNotify program confines already: it traps what the library asks
  // about, and what it must translate to be able to; everything else is the other program's to
  // decide. No wall by itself.
  kTrapOnNotify,
};

}  // namespace torno::filter
