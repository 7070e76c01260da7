// execve, execveat: may the file be executed? The kernel then looks the path up again, and
// Landlock's EXECUTE right, which the launcher put up, holds whatever it finds there.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

long read_at(Call& call, Texts& texts, int directory, std::uint64_t path, unsigned flags) {
  call.request.mode = X_OK;
  call.request.flags = AT_EACCESS | (flags & AT_SYMLINK_NOFOLLOW);
  const long error = find_place(call, texts, directory, path, Empty::kRefused);
  // The like by the name of a descriptor; see below.
  return error == 0 && call.place.base == files::Place::Base::kSelfFd ? -EACCES : error;
}

}  // namespace

long read_execve(Call& call, Texts& texts) {
  return read_at(call, texts, AT_FDCWD, call.word(0), 0);
}

long read_execveat(Call& call, Texts& texts) {
  const unsigned flags = call.as_unsigned(4);
  if ((flags & ~unsigned{AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW}) != 0) return -EINVAL;
  // A descriptor of nothing that has a path (a memfd) is held by no Landlock rule, and another
  // thread may put one in its place.
  if ((flags & AT_EMPTY_PATH) != 0) return -EACCES;
  return read_at(call, texts, call.as_int(0), call.word(1), flags);
}

}  // namespace torno::notify
