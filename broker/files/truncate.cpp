// truncate. (ftruncate goes by a descriptor that was opened for writing, and needs nobody.)
#include <unistd.h>

#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/change.h"
#include "broker/files/deny.h"

namespace torno::files {

Outcome truncate_file(const Task& task, const TruncateRequest& request) {
  if (request.size < 0) return failed(EINVAL);
  const off_t size = request.size;
  const auto at_pin = [&task, size](const Pin& pin) {
    if (pin.is(S_IFDIR)) return EISDIR;
    if (!pin.is(S_IFREG)) return EINVAL;
    const auto file = task.broker.reopen(pin.fd, O_WRONLY);
    if (!file) return file.error();
    return ::ftruncate(file->get(), size) == 0 ? 0 : errno;
  };
  const auto at_descriptor = [size](int fd, const struct statx& object) {
    if ((object.stx_mode & S_IFMT) != S_IFREG) return EINVAL;
    return ::ftruncate(fd, size) == 0 ? 0 : errno;
  };
  return change(task, 0, {at_pin, at_descriptor});
}

}  // namespace torno::files
