#include "broker/notify/emulated.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>

namespace torno::notify {
namespace {

// A memfd that cannot be executed: the kernel takes it for no file that a Landlock rule could hold.
long make_memory_file(const Call& call, const Listener& listener, Texts& texts) {
  const auto name = call.target.text(call.word(0), texts.path);
  if (!name) return name.error() == ENAMETOOLONG ? -EINVAL : -name.error();
  if (!listener.is_waiting(call.notification.id)) return 0;
  const unsigned flags = call.as_unsigned(1);
  const Fd file(::memfd_create(std::string(*name).c_str(), flags | MFD_CLOEXEC));
  if (!file || ::fchmod(file.get(), S_IRUSR | S_IWUSR) != 0) return -errno;
  return -listener.give(call.notification.id, file.get(), (flags & MFD_CLOEXEC) != 0);
}

long tell_working_directory(const Call& call, const Listener& listener, Texts& texts) {
  const auto path = call.target.working_directory(texts.cwd);
  if (!path) return -path.error();
  if (path->ends_with(" (deleted)") && call.target.has_lost_its_directory()) return -ENOENT;
  const std::size_t size = path->size() + 1;
  if (call.word(1) < size) return -ERANGE;
  texts.cwd[path->size()] = '\0';
  if (!listener.is_waiting(call.notification.id)) return 0;
  const auto text = std::as_bytes(std::span(texts.cwd).first(size));
  if (const int error = call.target.write(call.word(0), text); error != 0) return -error;
  return static_cast<long>(size);
}

}  // namespace

bool emulate(const Call& call, const Listener& listener, Texts& texts) {
  const std::uint64_t id = call.notification.id;
  switch (call.notification.number) {
    case SYS_memfd_create:
      if (const long error = make_memory_file(call, listener, texts); error != 0) {
        listener.answer(id, error);
      }
      return true;
    case SYS_getcwd:
      listener.answer(id, tell_working_directory(call, listener, texts));
      return true;
    case SYS_prctl:
      // Of a process that is not dumpable the broker could read no arguments.
      if (call.as_int(0) != PR_SET_DUMPABLE) return false;
      listener.answer(id, call.word(1) <= 1 ? 0 : -EINVAL);
      return true;
    default:
      return false;
  }
}

}  // namespace torno::notify
