// /proc as a client may have it. A path there means something else for every process that walks
// it, so the broker never walks it as itself:
//
//   - "/proc/self", "/proc/thread-self" and "/proc/<the client's pid>" are the client's. Policies
//     are written with, and verdicts given on, "/proc/self/…", whatever the number is.
//   - Every other process is refused, alike whether it exists or not; so is the list of them.
//   - Of the rest there is what the tables in broker/policy/procfs.cpp name, if the policy allows
//   it
//     too.
//   - The links of a process (cwd, root, exe, fd/N) are never followed by the kernel. cwd and
//     exe are read, and their text resolved like any symlink's; fd/N is for SELF_FD requests.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "broker/files/canonical_path.h"
#include "broker/files/mounts.h"
#include "broker/files/request.h"
#include "broker/policy/procfs.h"

namespace torno::files::procfs {

using policy::procfs::covers;
using policy::procfs::is_number;
using policy::procfs::kRoot;
using policy::procfs::kSelf;
using policy::procfs::own_part;
using policy::procfs::permits;

// What the entry `name` of /proc is called in a policy: itself, "self", or nothing when it is
// another process.
std::optional<std::string_view> entry(std::string_view name, pid_t client);

// Is it a link that the kernel makes from a process's state, not from text? Which one?
enum class Link { kNone, kText, kRootDirectory, kNever };
Link link(std::string_view path);

// Where the broker opens a path: "/proc/self/x" is "1234/x" in the client's procfs.
class KernelPlace {
 public:
  // False: too long, or no client is known.
  bool find(const CanonicalPath& path, const Place& place, const Mounts& mounts);

  int directory() const { return start_.directory; }
  const char* path() const { return start_.path; }
  Mounts::Start start() const { return start_; }

 private:
  CanonicalPath translated_;
  Mounts::Start start_{-1, nullptr};
};

}  // namespace torno::files::procfs
