// What the kernel does for a process that walks a world-writable sticky directory (/tmp) by
// itself: fs.protected_symlinks, protected_regular, protected_fifos of proc(5). The broker reads
// links and opens pins instead, so it keeps those rules by hand, as if they were switched on.
#pragma once

#include "broker/files/task.h"

namespace torno::files {

// May a symlink in `directory`, at the end of a path, be followed?
bool may_follow_link(const Task& task, int directory, const struct statx& link);

// May O_CREAT open what stands already at `path`?
bool may_reuse(const Task& task, const CanonicalPath& path, const Pin& existing);

}  // namespace torno::files
