#include "broker/notify/own_umask.h"

#include <sched.h>
#include <sys/stat.h>

namespace torno::notify {

bool take_no_umask() {
  thread_local bool taken = false;
  if (taken) return true;
  if (::unshare(CLONE_FS) != 0) return false;
  ::umask(0);
  return taken = true;
}

}  // namespace torno::notify
