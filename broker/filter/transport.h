// Transport: the way by which the calls that a program does not decide alone reach the broker.
#pragma once

namespace torno::filter {

enum class Transport {
  kTrap,    // SIGSYS to the sandboxee library in the process itself, which asks
  kNotify,  // SECCOMP_RET_USER_NOTIF to a supervisor: whatever the process is, from its exec on
};

}  // namespace torno::filter
