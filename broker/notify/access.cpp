// access, faccessat, faccessat2.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

long read_at(Call& call, Texts& texts, int directory, std::uint64_t path, unsigned mode,
             unsigned flags) {
  if ((mode & ~unsigned{R_OK | W_OK | X_OK}) != 0) return -EINVAL;
  if ((flags & ~unsigned{AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH}) != 0) return -EINVAL;
  call.request.mode = mode;
  call.request.flags = flags;
  return find_place(call, texts, directory, path,
                    (flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused);
}

}  // namespace

long read_access(Call& call, Texts& texts) {
  return read_at(call, texts, AT_FDCWD, call.word(0), call.as_unsigned(1), 0);
}

// The older call has three arguments: libc's flags never reach it.
long read_faccessat(Call& call, Texts& texts) {
  return read_at(call, texts, call.as_int(0), call.word(1), call.as_unsigned(2), 0);
}

long read_faccessat2(Call& call, Texts& texts) {
  return read_at(call, texts, call.as_int(0), call.word(1), call.as_unsigned(2),
                 call.as_unsigned(3));
}

}  // namespace torno::notify
