// Canonical: where a path leads, followed component by component as the broker's slow way does
// (broker/files/walk.h), so that the verdict is asked about the object and not about one of its
// names.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "broker/base/error.h"

namespace torno::cli {

struct Canonical {
  std::string path;  // absolute, without symlinks, "." or ".."; the asking process is /proc/self
  mode_t type = 0;   // S_IFMT bits of what is there; 0: nothing, or it cannot be seen
  int error = 0;     // why `type` is 0: ENOENT, EACCES, …

  // Whether text alone could not tell: "..", a symlink, something of /proc. Then the policy must
  // show every place on the way: those in `passed`, all but the last.
  bool walked = false;
  std::vector<std::string> passed;
};

// `follow_last`: whether a symlink at the very end is followed, too. A relative path starts at
// the working directory. Fails where the way cannot be told: a loop, ".." behind something
// missing, a link that the kernel makes for each process.
Result<Canonical> canonicalise(const std::string& path, bool follow_last);

}  // namespace torno::cli
