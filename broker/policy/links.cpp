#include "broker/policy/links.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>

#include "broker/base/fd.h"

namespace torno::policy {
namespace {

constexpr int kMaxHops = 40;  // as the kernel's

bool is_procfs(const std::string& directory) {
  struct statfs fs{};
  return ::statfs(directory.c_str(), &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

// Puts the components of `path` before those waiting in `pending`, which is in reverse order.
void push_components(std::vector<std::string>& pending, std::string_view path) {
  std::vector<std::string> components;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) components.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  pending.insert(pending.end(), components.rbegin(), components.rend());
}

}  // namespace

std::optional<std::string> LinkResolver::target(const std::string& parent,
                                                const std::string& path) {
  const auto known = known_.find(path);
  if (known != known_.end()) return known->second;
  std::string buffer(PATH_MAX, '\0');
  // What was resolved so far may have become a symlink meanwhile, to where nobody may look.
  open_how how{};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const Fd link(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
  const ssize_t size = link ? ::readlinkat(link.get(), "", buffer.data(), buffer.size()) : -1;
  std::optional<std::string> found;
  if (size > 0 && !is_procfs(parent)) found = buffer.substr(0, static_cast<std::size_t>(size));
  known_.emplace(path, found);
  return found;
}

Destination LinkResolver::resolve(std::string_view path, const MayLook& may_look) {
  Destination destination;
  std::string& done = destination.path;  // "" is "/" until the end
  std::vector<std::string> pending;
  push_components(pending, path);
  while (!pending.empty()) {
    const std::string component = std::move(pending.back());
    pending.pop_back();
    if (component == ".") continue;
    if (component == "..") {
      done.erase(std::min(done.rfind('/'), done.size()));
      continue;
    }
    const std::string directory = done + '/';
    const std::string next = directory + component;
    if (may_look && !may_look(next)) return {std::string(path), {}, true};
    const std::optional<std::string> leads_to = target(directory, next);
    if (!leads_to) {
      done = next;
      continue;
    }
    if (destination.links.size() == kMaxHops) return {std::string(path), {}, false};
    destination.links.push_back(next);
    if (leads_to->starts_with('/')) done.clear();
    push_components(pending, *leads_to);
  }
  if (done.empty()) done += '/';
  return destination;
}

}  // namespace torno::policy
