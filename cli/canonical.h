// Canonical: where a path leads, followed component by component as the broker does, so that the
// verdict is asked about the object and not about one of its names.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "broker/base/error.h"

namespace torno::cli {

struct Canonical {
  std::string path;                // absolute, without symlinks, "." or ".."
  std::vector<std::string> links;  // the symlinks followed, by their own canonical paths
  mode_t type = 0;                 // S_IFMT bits of what is there; 0: nothing, or it cannot be seen
  int error = 0;                   // why `type` is 0: ENOENT, EACCES, …
};

// `follow_last`: whether a symlink at the very end is followed, too. A relative path starts at
// the working directory. Fails where the way cannot be told: a loop, "..", beneath something
// missing, a magic link of procfs.
Result<Canonical> canonicalise(const std::string& path, bool follow_last);

}  // namespace torno::cli
