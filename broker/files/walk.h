// The slow way: a path with "..", symlinks or /proc in it, to a canonical one.
#pragma once

#include "broker/files/start.h"
#include "broker/files/task.h"

namespace torno::files {

// Component by component, each looked at only where the policy lets it be seen: errno tells no
// more than the policy does. What comes out is text and proves nothing yet; vet() judges it and
// finds out whether it still holds. False: the outcome is filled.
bool walk(const Task& task, const Aim& aim, const Start& start, Target& target, Outcome& outcome);

}  // namespace torno::files
