// Outcome: how a request ended.
#pragma once

#include <sys/stat.h>
#include <sys/vfs.h>

#include <optional>
#include <string>

#include "broker/base/fd.h"
#include "broker/policy/permission.h"
#include "broker/policy/verdict.h"

namespace torno::files {

// A request the policy refused: what becomes a violation in the audit.
struct Denial {
  std::string path;  // canonical where it could be resolved, else as asked
  policy::Permissions wanted = policy::kNone;
  const policy::RuleSource* rule = nullptr;  // lives as long as the policy
};

struct Outcome {
  int error = 0;                // 0 or an errno value
  bool would_block = false;     // with Wait::kNever: do it again with Wait::kMayBlock on a pool
                                // thread; nothing else is set
  Fd fd;                        // of open
  struct statx stat{};          // of stat
  struct statfs file_system{};  // of statfs
  std::string target;           // of readlink
  std::optional<Denial> denial;
};

}  // namespace torno::files
