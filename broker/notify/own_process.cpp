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
    default:
      return false;
  }
}

}  // namespace torno::notify
