// symlink, symlinkat. What the link holds is any text: whoever follows it gets a verdict about
// where it leads.
#include <unistd.h>

#include <cerrno>
#include <string>

#include "broker/files/call.h"
#include "broker/files/deny.h"
#include "broker/files/entry.h"

namespace torno::files {

Outcome make_symlink(const Task& task, const SymlinkRequest& request) {
  if (request.text.empty()) return failed(ENOENT);
  if (request.text.size() >= PATH_MAX) return failed(ENAMETOOLONG);
  if (request.text.find('\0') != request.text.npos) return failed(EINVAL);
  Outcome outcome;
  Entry entry;
  if (!find_entry(task, Expected::kMissing, entry, outcome)) return outcome;
  if (is_kept_name(task, entry, outcome)) return outcome;
  if (task.wait == Wait::kNever) return wait_needed();
  const std::string text(request.text);
  const int result = ::symlinkat(text.c_str(), entry.directory.fd.get(), entry.name.c_str());
  return failed(result == 0 ? 0 : errno);
}

}  // namespace torno::files
