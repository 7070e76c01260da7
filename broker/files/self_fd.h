// Place::Base::kSelfFd: /proc/self/fd/N, /dev/fd/N, /dev/stdin. The kernel follows such a link to
// the object whatever its path is; the broker, following it, would open with its own rights what
// the client merely holds. So a file with a path is opened by that path under a fresh verdict,
// and only if it is still the same file; a pipe, a socket, a memfd or a deleted file has no path
// and comes back as the client's own description, which grants nothing new.
#pragma once

#include <string>

#include "broker/files/task.h"

namespace torno::files {

// What a descriptor of the client's is.
struct Descriptor {
  struct statx stat{};
  std::string name;

  bool has_path() const { return name.starts_with('/') && stat.stx_nlink > 0; }
  // That path as a place of its own, which may lead elsewhere by now. Lives no longer than this.
  Place place(const Place& of) const;
};

// Of task.place.fd. 0 or an errno value.
int describe(const Task& task, Descriptor& descriptor);

// What the client may do with what it has open as `fd`, whatever its name is.
policy::Permissions held_by(int fd);

Outcome open_self_fd(const Task& task, const OpenRequest& request);

// About the client's own descriptor: with AT_EMPTY_PATH, and the above when links are followed.
Outcome stat_descriptor(const Task& task, int fd, unsigned flags, unsigned mask);
Outcome access_descriptor(const Task& task, int fd, unsigned mode, unsigned flags);
// The same, of what is known not to keep anybody waiting.
Outcome access_at_once(int fd, unsigned mode, unsigned flags);

// lstat and readlink of the link itself.
Outcome stat_self_fd_link(const Task& task, unsigned mask);
Outcome read_self_fd_link(const Task& task);

// /dev/stdin, stdout, stderr: links to such a link, so that what is asked of the link itself is
// asked of a file like any other.
bool is_link_to_self_fd(const Place& place);

}  // namespace torno::files
