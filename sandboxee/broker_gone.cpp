#include "sandboxee/broker_gone.h"

#include <signal.h>

#include <cerrno>

#include "sandboxee/signals.h"

namespace torno {
namespace {
bool die_with_broker = false;
}

void set_die_with_broker(bool die) {
  die_with_broker = die;
}

long broker_error(long result) {
  switch (result) {
    case 0:
    case -EPIPE:
    case -ECONNRESET:
    case -ECONNREFUSED:
    case -ENOTCONN:
      break;
    default:
      return result;
  }
  if (die_with_broker) {
    raw::call(__NR_kill, raw::call(__NR_getpid), SIGKILL);
    die_by_sigsys();  // where the filter lets no kill through
  }
  return -EIO;
}

}  // namespace torno
