// Entry: a name in a pinned directory, for the calls that make, remove and rename names. The last
// component of a path is never followed there, so what is pinned is the directory it stands in, and
// the act is done on that one name in it: nothing else of the path is looked up again.
#pragma once

#include <string>

#include "broker/files/task.h"

namespace torno::files {

struct Entry {
  Pin directory;
  CanonicalPath path;  // of the entry; of the directory where the name is no ordinary one
  std::string name;  // with the slashes behind it, which tell the kernel that a directory is meant
  bool ordinary = true;  // false: "/", ".", "..", which the kernel refuses in all of these calls

  // Without the slashes.
  std::string_view bare_name() const;
};

// Where the policy refuses, but lets be seen what is there, the kernel's answer comes first.
enum class Expected {
  kMissing,  // EEXIST where there is something
  kPresent,  // ENOENT where there is nothing
  kEither,
};

// Finds the entry at task.place and decides about CREATE there. False: the outcome is filled.
bool find_entry(const Task& task, Expected expected, Entry& entry, Outcome& outcome);

// What stands at the entry, not followed; 0 or an errno value.
int look_at(const Entry& entry, Pin& pin);

// Is it something that is neither removed nor moved nor replaced: the broker's own, a way to it, or
// a file that the policy was read from? Fills the outcome with the denial then. An entry with
// nothing at it is none.
bool is_kept(const Task& task, const Entry& entry, Outcome& outcome);

// Is the name one on the way to what is the broker's own, where nothing but a directory may be
// made? A symlink there would lead the broker to another one's policies.
bool is_kept_name(const Task& task, const Entry& entry, Outcome& outcome);

}  // namespace torno::files
