// open, creat, openat, openat2.
#include <fcntl.h>
#include <linux/openat2.h>

#include "sandboxee/ask.h"
#include "sandboxee/calls/calls.h"
#include "sandboxee/translate/umask.h"
#include "sandboxee/user_memory.h"

namespace torno::calls {
namespace {

// O_LARGEFILE is 0 in the headers of a 64-bit libc, but the kernel knows it.
constexpr unsigned kLargeFile = 0100000;
constexpr unsigned kTmpFileBit = O_TMPFILE & ~O_DIRECTORY;
constexpr unsigned kKnownFlags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |
                                 O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_DIRECTORY |
                                 O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | kTmpFileBit;
constexpr unsigned kPathFlags = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
constexpr unsigned kModeBits = 07777;

bool makes_file(std::uint64_t flags) {
  return (flags & (O_CREAT | kTmpFileBit)) != 0;
}

long open_at(Trap& trap, int directory, raw::Word path, const open_how& how) {
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  const long error = find_target(*slot, directory, path, Empty::kRefused, target, how.resolve);
  if (error != 0) return error;

  torno_wire_Request request{};
  request.which_call = torno_wire_Request_open_tag;
  request.call.open.flags = how.flags;
  request.call.open.mode = static_cast<std::uint32_t>(how.mode);
  request.call.open.resolve = how.resolve;
  if (makes_file(how.flags)) request.call.open.mode &= ~umask_cache::get();
  const int receive_flags = (how.flags & O_CLOEXEC) != 0 ? MSG_CMSG_CLOEXEC : 0;
  const Answer answer = ask(*slot, trap, request, target, 1, receive_flags);
  return answer.result < 0 ? answer.result : answer.received.fds[0];
}

// open and openat ignore bits they do not know, and modes of files they do not make.
long open_classic(Trap& trap, int directory, raw::Word path, unsigned flags, unsigned mode) {
  open_how how{};
  how.flags = flags & kKnownFlags;
  if ((flags & O_PATH) != 0) how.flags &= kPathFlags;
  if (makes_file(how.flags)) how.mode = mode & kModeBits;
  return open_at(trap, directory, path, how);
}

// openat2's structure may be larger than ours: what is beyond must be zero.
long read_open_how(raw::Word address, std::size_t size, open_how& how) {
  static_assert(sizeof how == 24, "the first version of the structure, the smallest there is");
  if (size < sizeof how) return -EINVAL;
  if (size > kPageSize) return -E2BIG;
  if (!is_readable(address, size)) return -EFAULT;
  const auto* bytes = reinterpret_cast<const volatile char*>(address);
  for (std::size_t i = sizeof how; i < size; ++i) {
    if (bytes[i] != 0) return -E2BIG;
  }
  __builtin_memcpy(&how, reinterpret_cast<const void*>(address), sizeof how);
  return 0;
}

}  // namespace

long open(Trap& trap) {
  return open_classic(trap, AT_FDCWD, trap.args[0], trap.as_unsigned(1), trap.as_unsigned(2));
}

long creat(Trap& trap) {
  return open_classic(trap, AT_FDCWD, trap.args[0], O_CREAT | O_WRONLY | O_TRUNC,
                      trap.as_unsigned(1));
}

long openat(Trap& trap) {
  return open_classic(trap, trap.as_int(0), trap.args[1], trap.as_unsigned(2), trap.as_unsigned(3));
}

long openat2(Trap& trap) {
  open_how how{};
  const long error = read_open_how(trap.args[2], trap.args[3], how);
  if (error != 0) return error;
  if ((how.flags & O_PATH) != 0 && (how.flags & ~std::uint64_t{kPathFlags}) != 0) return -EINVAL;
  how.flags &= ~std::uint64_t{kLargeFile};
  if ((how.flags & ~std::uint64_t{kKnownFlags}) != 0) return -EINVAL;
  if (how.mode != 0 && !makes_file(how.flags)) return -EINVAL;
  if ((how.mode & ~std::uint64_t{kModeBits}) != 0) return -EINVAL;
  return open_at(trap, trap.as_int(0), trap.args[1], how);
}

}  // namespace torno::calls
