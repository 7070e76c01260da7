// Task: one request while it is worked on. Aim: what its call wants to find at the end of the
// path. Target: the canonical path that was found. Pin: the object at it.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/base/fd.h"
#include "broker/files/canonical_path.h"
#include "broker/files/files.h"
#include "broker/files/foundation.h"
#include "broker/files/syscalls.h"

namespace torno::files {

struct Task {
  const Foundation& broker;
  const policy::PolicyStack& policy;
  const Place& place;
  Wait wait;

  // What may ask a file server, or a disk, is left to a thread that may be held.
  std::uint64_t cached() const { return wait == Wait::kNever ? RESOLVE_CACHED : 0; }
  bool may_wait_for(const struct statx& object) const {
    return wait == Wait::kMayBlock || broker.local.contains(object.stx_mnt_id);
  }
};

struct Aim {
  // kNone: the caller decides by itself about the target (connect).
  policy::Permissions wanted = policy::kNone;
  bool leads_suffice = false;  // a directory or symlink on the way to something allowed will do
  bool follow = true;          // a symlink at the end
  bool empty_path = false;     // means the cwd
  bool create = false;         // a missing object is about to be made
  bool children = false;       // wanted of something nameless beneath the directory (O_TMPFILE)
  std::uint64_t resolve = 0;   // RESOLVE_* of the client
  unsigned stat_mask = 0;      // what else to ask about the object
  unsigned stat_flags = 0;     // AT_STATX_*
  const struct statx* same_as = nullptr;  // the object must be this one
};

struct Target {
  CanonicalPath path;
  bool directory = false;  // a trailing slash: anything else at the path is ENOTDIR
  bool missing = false;    // there was nothing at it a moment ago, where the policy lets it be seen
};

struct Pin {
  Fd fd;  // O_PATH
  struct statx stat{};

  bool is(mode_t type) const { return (stat.stx_mode & S_IFMT) == type; }
};

// How an attempt at a target ended.
enum class Step {
  kDone,     // the outcome is filled
  kDenied,   // by the verdict on this very path; the outcome holds the denial
  kChanged,  // a symlink stands in the path: resolve it again
};

}  // namespace torno::files
