#include "broker/notify/own_process.h"

#include <sys/syscall.h>

namespace torno::notify {

bool reaches_only_itself(const Call& call) {
  switch (call.notification.number) {
    case SYS_prlimit64:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
      return call.number > 0 && call.as_int(0) == call.number;
    // Programs drop what they do not have, as posix_spawn(POSIX_SPAWN_RESETIDS) does for make.
    case SYS_setuid:
    case SYS_setgid:
    case SYS_setreuid:
    case SYS_setregid:
    case SYS_setresuid:
    case SYS_setresgid:
      return call.target.has_one_identity();
    default:
      return false;
  }
}

}  // namespace torno::notify
