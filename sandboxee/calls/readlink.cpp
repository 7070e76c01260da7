// readlink, readlinkat.
#include <fcntl.h>

#include "sandboxee/ask.h"
#include "sandboxee/calls/calls.h"
#include "sandboxee/user_memory.h"

namespace torno::calls {
namespace {

long readlink_at(Trap& trap, int directory, raw::Word path, Empty empty, raw::Word buffer,
                 int size) {
  if (size <= 0) return -EINVAL;
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  const long error = find_target(*slot, directory, path, empty, target);
  if (error != 0) return error;
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_readlink_tag;
  request.call.readlink.size = static_cast<std::uint32_t>(size);
  const long result = ask(*slot, trap, request, target).result;
  if (result < 0) return result;
  const auto room = static_cast<std::size_t>(size);
  const std::size_t length = slot->reply.target.size < room ? slot->reply.target.size : room;
  if (!copy_out(buffer, slot->reply.target.data, length)) return -EFAULT;
  return static_cast<long>(length);
}

}  // namespace

long readlink(Trap& trap) {
  return readlink_at(trap, AT_FDCWD, trap.args[0], Empty::kRefused, trap.args[1], trap.as_int(2));
}

// An empty path means the symlink that the descriptor itself is (O_PATH | O_NOFOLLOW).
long readlinkat(Trap& trap) {
  const Empty empty = trap.as_int(0) == AT_FDCWD ? Empty::kRefused : Empty::kAllowed;
  return readlink_at(trap, trap.as_int(0), trap.args[1], empty, trap.args[2], trap.as_int(3));
}

}  // namespace torno::calls
