// access, faccessat, faccessat2.
#include <fcntl.h>
#include <unistd.h>

#include "sandboxee/ask.h"
#include "sandboxee/calls/calls.h"

namespace torno::calls {
namespace {

long access_at(Trap& trap, int directory, raw::Word path, unsigned mode, unsigned flags) {
  if ((mode & ~unsigned{R_OK | W_OK | X_OK}) != 0) return -EINVAL;
  if ((flags & ~unsigned{AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH}) != 0) return -EINVAL;
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  const Empty empty = (flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused;
  const long error = find_target(*slot, directory, path, empty, target);
  if (error != 0) return error;
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_access_tag;
  request.call.access.mode = mode;
  request.call.access.flags = flags;
  return ask(*slot, trap, request, target).result;
}

}  // namespace

long access(Trap& trap) {
  return access_at(trap, AT_FDCWD, trap.args[0], trap.as_unsigned(1), 0);
}

// The older call has three arguments: libc's flags never reach it.
long faccessat(Trap& trap) {
  return access_at(trap, trap.as_int(0), trap.args[1], trap.as_unsigned(2), 0);
}

long faccessat2(Trap& trap) {
  return access_at(trap, trap.as_int(0), trap.args[1], trap.as_unsigned(2), trap.as_unsigned(3));
}

}  // namespace torno::calls
