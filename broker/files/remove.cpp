// unlink, unlinkat, rmdir.
#include <unistd.h>

#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/deny.h"
#include "broker/files/entry.h"

namespace torno::files {

Outcome remove_entry(const Task& task, const RemoveRequest& request) {
  Outcome outcome;
  Entry entry;
  if (!find_entry(task, Expected::kPresent, entry, outcome)) return outcome;
  if (task.wait == Wait::kNever) return wait_needed();
  if (entry.ordinary && is_kept(task, entry, outcome)) return outcome;
  const int flags = request.directory ? AT_REMOVEDIR : 0;
  return failed(::unlinkat(entry.directory.fd.get(), entry.name.c_str(), flags) == 0 ? 0 : errno);
}

}  // namespace torno::files
