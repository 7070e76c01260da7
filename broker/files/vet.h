// The verdict on a canonical path, and the object at it, pinned. Every act of every call goes
// through vet(): the kernel follows no link on the way, so the object stands at the very path the
// verdict was given on, and whatever is done is done to the pin.
#pragma once

#include <string_view>

#include "broker/files/task.h"
#include "broker/policy/verdict.h"

namespace torno::files {

enum class Vetted {
  kPinned,
  kDenied,   // the outcome holds the denial
  kChanged,  // a symlink stands in the path
  kFailed,   // the outcome holds the error: the kernel's
  kMissing,  // the same, ENOENT
  kWaitNeeded
};

Vetted vet(const Task& task, const Aim& aim, const Target& target, Pin& pin, Outcome& outcome);

// What becomes of a walk whose place vet() did not pin; of any answer that it should not be:
// denied.
Step step_without_pin(Vetted vetted, Outcome& outcome);

// What the policy says of `wanted` at `path`, as the aim means it.
policy::Verdict verdict_on(const Task& task, const Aim& aim, const CanonicalPath& path,
                           policy::Permissions wanted);

// Is the place refused by its name, whatever the policy says: the broker's own, or not in the
// tables of procfs.h?
bool is_off_limits(const Task& task, std::string_view path, policy::Permissions wanted);

// May the place be seen: stat answered, or a way to something allowed?
bool is_visible(const Task& task, std::string_view path);

}  // namespace torno::files
