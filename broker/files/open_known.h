// The short way of open(2), for a path where a plain file or directory stood lately.
#pragma once

#include "broker/files/task.h"

namespace torno::files {

// True: the outcome holds the descriptor. False: nothing is decided; the object must be pinned and
// looked at.
bool open_known(const Task& task, const Aim& aim, const OpenRequest& request, const Target& target,
                Outcome& outcome);

}  // namespace torno::files
