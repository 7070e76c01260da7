// Changes of what stands at the end of a path, or is a descriptor of the client's: mode, owner,
// times, size. They need WRITE where it stands.
#pragma once

#include <functional>

#include "broker/files/task.h"

namespace torno::files {

struct Change {
  // On a pinned object: 0 or an errno value. May take its time.
  std::function<int(const Pin&)> at_pin;
  // On a descriptor of the client's that is open for writing, and has no path: a pipe, a memfd, a
  // socket, a deleted file.
  std::function<int(int fd, const struct statx&)> at_descriptor;
};

// `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. A descriptor that was opened for reading, or with
// O_PATH, is no way to change anything: what counts is the name of what it is.
Outcome change(const Task& task, std::uint32_t flags, const Change& change);

}  // namespace torno::files
