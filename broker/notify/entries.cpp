// Names that are made, removed and renamed: mkdir, mknod, rmdir, unlink, rename, link, symlink; and
// the calls whose only argument to be read is a path.
#include <fcntl.h>
#include <stdio.h>

#include <cerrno>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

long read_made(Call& call, Texts& texts, int directory, std::uint64_t path, unsigned mode) {
  const auto mask = call.target.umask();
  if (!mask) return -mask.error();
  call.request.mode = mode & ~*mask;
  return find_place(call, texts, directory, path, Empty::kRefused);
}

struct Name {
  int directory;
  std::uint64_t path;
};

long read_two(Call& call, Texts& texts, Name from, Name to, unsigned flags, Empty empty) {
  call.request.flags = flags;
  const long error = find_place(call, texts, from.directory, from.path, empty);
  return error != 0 ? error : find_second_place(call, texts, to.directory, to.path);
}

// Looked at before any name is.
bool are_rename_flags(unsigned flags) {
  const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
  const bool keeps = (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0;
  return (flags & ~unsigned{RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT}) == 0 &&
         !(exchanges && keeps);
}

long read_symlink_at(Call& call, Texts& texts, std::uint64_t text, Name link) {
  const auto holds = call.target.text(text, texts.second_path);
  if (!holds) return -holds.error();
  if (holds->empty()) return -ENOENT;
  call.request.second_path = *holds;
  return find_place(call, texts, link.directory, link.path, Empty::kRefused);
}

}  // namespace

long read_mkdir(Call& call, Texts& texts) {
  return read_made(call, texts, AT_FDCWD, call.word(0), call.as_unsigned(1));
}

long read_mkdirat(Call& call, Texts& texts) {
  return read_made(call, texts, call.as_int(0), call.word(1), call.as_unsigned(2));
}

long read_mknod(Call& call, Texts& texts) {
  return read_made(call, texts, AT_FDCWD, call.word(0), call.as_unsigned(1));
}

long read_mknodat(Call& call, Texts& texts) {
  return read_made(call, texts, call.as_int(0), call.word(1), call.as_unsigned(2));
}

long read_path(Call& call, Texts& texts) {
  return find_place(call, texts, AT_FDCWD, call.word(0), Empty::kRefused);
}

long read_unlinkat(Call& call, Texts& texts) {
  if ((call.as_unsigned(2) & ~unsigned{AT_REMOVEDIR}) != 0) return -EINVAL;
  call.request.flags = call.as_unsigned(2);
  return find_place(call, texts, call.as_int(0), call.word(1), Empty::kRefused);
}

long read_rename(Call& call, Texts& texts) {
  return read_two(call, texts, {AT_FDCWD, call.word(0)}, {AT_FDCWD, call.word(1)}, 0,
                  Empty::kRefused);
}

long read_renameat(Call& call, Texts& texts) {
  return read_two(call, texts, {call.as_int(0), call.word(1)}, {call.as_int(2), call.word(3)}, 0,
                  Empty::kRefused);
}

long read_renameat2(Call& call, Texts& texts) {
  if (!are_rename_flags(call.as_unsigned(4))) return -EINVAL;
  return read_two(call, texts, {call.as_int(0), call.word(1)}, {call.as_int(2), call.word(3)},
                  call.as_unsigned(4), Empty::kRefused);
}

long read_link(Call& call, Texts& texts) {
  return read_two(call, texts, {AT_FDCWD, call.word(0)}, {AT_FDCWD, call.word(1)}, 0,
                  Empty::kRefused);
}

long read_linkat(Call& call, Texts& texts) {
  const unsigned flags = call.as_unsigned(4);
  if ((flags & ~unsigned{AT_SYMLINK_FOLLOW | AT_EMPTY_PATH}) != 0) return -EINVAL;
  return read_two(call, texts, {call.as_int(0), call.word(1)}, {call.as_int(2), call.word(3)},
                  flags, (flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused);
}

long read_symlink(Call& call, Texts& texts) {
  return read_symlink_at(call, texts, call.word(0), {AT_FDCWD, call.word(1)});
}

long read_symlinkat(Call& call, Texts& texts) {
  return read_symlink_at(call, texts, call.word(0), {call.as_int(1), call.word(2)});
}

}  // namespace torno::notify
