// Root: where the absolute names of a launched program lead once it has a mount namespace. The
// broker resolves every other path in its own namespace and passes descriptors, so that exec alone
// ever resolves a name here.
//
//   - Where the policy lets nothing more be executed: an empty tree, with the program's own files
//     at their places, the symlinks that the kernel meets on its way to them, and a procfs.
//   - Where there are EXECUTE rules, the kernel looks up again what a rule allows, and each link on
//     the way has to lead where it did: the tree of the launcher, all of it read-only.
//
// The launcher plans it, and init builds it, between fork and exec: without allocation.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/launch/program.h"
#include "broker/policy/policy.h"

namespace torno::launch {

inline constexpr std::size_t kMaxTemporaries = 16;  // of a policy

struct RootEntry {
  enum class Kind { kFolder, kLink, kFile };
  Kind kind = Kind::kFolder;
  std::string path;  // absolute
  std::string text;  // of a link
  // Of a file: what stands at the path must still be it.
  dev_t device = 0;
  ino_t inode = 0;
};

// A folder of the program's own, as its policy has it.
struct RootTemporary {
  std::string path;
  std::string size;    // bytes
  std::string inodes;  // how many files it may hold
};

struct RootPlan {
  bool keeps_tree = false;
  std::vector<RootEntry> entries;  // of an empty tree; folders before what they hold
  std::vector<RootTemporary> temporaries;
  // The working directory, of the launcher's namespace, by which the broker knows its name.
  Fd cwd;
};

// A tree is kept too where an empty one cannot be foreseen: a program named through /proc, or a
// working directory that this user may not enter.
Result<RootPlan> plan_root(const policy::Policy& policy, const Program& program);

// In init, alone in its new mount namespace. `proc`: a procfs that is mounted nowhere yet, or -1.
// `folders`: where descriptors of the temporary folders go, one each. 0, or an errno value.
int build_root(const RootPlan& plan, int proc, std::span<int> folders);

}  // namespace torno::launch
