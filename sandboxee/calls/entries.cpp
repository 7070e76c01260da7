// Names that are made, removed and renamed: mkdir, mknod, rmdir, unlink, rename, link, symlink.
#include <fcntl.h>
#include <stdio.h>

#include "sandboxee/ask.h"
#include "sandboxee/calls/calls.h"
#include "sandboxee/translate/umask.h"
#include "sandboxee/user_memory.h"

namespace torno::calls {
namespace {

struct Name {
  int directory;
  raw::Word path;
};

long ask_at(Trap& trap, Name name, torno_wire_Request& request) {
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  const long error = find_target(*slot, name.directory, name.path, Empty::kRefused, target);
  return error != 0 ? error : ask(*slot, trap, request, target).result;
}

long ask_two(Trap& trap, Name from, Name to, torno_wire_Request& request, Empty empty) {
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  long error = find_target(*slot, from.directory, from.path, empty, target);
  if (error == 0) error = find_second_target(*slot, to.directory, to.path, target);
  return error != 0 ? error : ask(*slot, trap, request, target).result;
}

long make_directory(Trap& trap, Name name, unsigned mode) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_mkdir_tag;
  request.call.mkdir.mode = mode & ~umask_cache::get();
  return ask_at(trap, name, request);
}

long make_node(Trap& trap, Name name, unsigned mode) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_mknod_tag;
  request.call.mknod.mode = mode & ~umask_cache::get();
  return ask_at(trap, name, request);
}

long remove(Trap& trap, Name name, unsigned flags) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_unlink_tag;
  request.call.unlink.flags = flags;
  return ask_at(trap, name, request);
}

long rename_to(Trap& trap, Name from, Name to, unsigned flags) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_rename_tag;
  request.call.rename.flags = flags;
  return ask_two(trap, from, to, request, Empty::kRefused);
}

long link_to(Trap& trap, Name from, Name to, unsigned flags) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_link_tag;
  request.call.link.flags = flags;
  const Empty empty = (flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused;
  return ask_two(trap, from, to, request, empty);
}

// Looked at before any name is.
bool are_rename_flags(unsigned flags) {
  const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
  const bool keeps = (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0;
  return (flags & ~unsigned{RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT}) == 0 &&
         !(exchanges && keeps);
}

long make_symlink(Trap& trap, raw::Word text, Name name) {
  const long length = path_length(text);
  if (length < 0) return length;
  if (length == 0) return -ENOENT;
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  Target target;
  const long error = find_target(*slot, name.directory, name.path, Empty::kRefused, target);
  if (error != 0) return error;
  target.second_path = reinterpret_cast<const char*>(text);
  target.second_path_size = static_cast<std::size_t>(length);
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_symlink_tag;
  return ask(*slot, trap, request, target).result;
}

}  // namespace

long mkdir(Trap& trap) {
  return make_directory(trap, {AT_FDCWD, trap.args[0]}, trap.as_unsigned(1));
}

long mkdirat(Trap& trap) {
  return make_directory(trap, {trap.as_int(0), trap.args[1]}, trap.as_unsigned(2));
}

long mknod(Trap& trap) {
  return make_node(trap, {AT_FDCWD, trap.args[0]}, trap.as_unsigned(1));
}

long mknodat(Trap& trap) {
  return make_node(trap, {trap.as_int(0), trap.args[1]}, trap.as_unsigned(2));
}

long rmdir(Trap& trap) {
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_rmdir_tag;
  return ask_at(trap, {AT_FDCWD, trap.args[0]}, request);
}

long unlink(Trap& trap) {
  return remove(trap, {AT_FDCWD, trap.args[0]}, 0);
}

long unlinkat(Trap& trap) {
  const unsigned flags = trap.as_unsigned(2);
  if ((flags & ~unsigned{AT_REMOVEDIR}) != 0) return -EINVAL;
  return remove(trap, {trap.as_int(0), trap.args[1]}, flags);
}

long rename(Trap& trap) {
  return rename_to(trap, {AT_FDCWD, trap.args[0]}, {AT_FDCWD, trap.args[1]}, 0);
}

long renameat(Trap& trap) {
  return rename_to(trap, {trap.as_int(0), trap.args[1]}, {trap.as_int(2), trap.args[3]}, 0);
}

long renameat2(Trap& trap) {
  if (!are_rename_flags(trap.as_unsigned(4))) return -EINVAL;
  return rename_to(trap, {trap.as_int(0), trap.args[1]}, {trap.as_int(2), trap.args[3]},
                   trap.as_unsigned(4));
}

long link(Trap& trap) {
  return link_to(trap, {AT_FDCWD, trap.args[0]}, {AT_FDCWD, trap.args[1]}, 0);
}

long linkat(Trap& trap) {
  const unsigned flags = trap.as_unsigned(4);
  if ((flags & ~unsigned{AT_SYMLINK_FOLLOW | AT_EMPTY_PATH}) != 0) return -EINVAL;
  return link_to(trap, {trap.as_int(0), trap.args[1]}, {trap.as_int(2), trap.args[3]}, flags);
}

long symlink(Trap& trap) {
  return make_symlink(trap, trap.args[0], {AT_FDCWD, trap.args[1]});
}

long symlinkat(Trap& trap) {
  return make_symlink(trap, trap.args[0], {trap.as_int(1), trap.args[2]});
}

}  // namespace torno::calls
