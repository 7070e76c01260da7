// Making what is not there: O_CREAT of a missing file, O_TMPFILE.
#pragma once

#include "broker/files/task.h"

namespace torno::files {

// At a path where vet() found nothing.
Step create_file(const Task& task, const Aim& aim, const OpenRequest& request, const Target& target,
                 Outcome& outcome);

// In the pinned directory.
Step create_nameless(const Task& task, const OpenRequest& request, const Pin& directory,
                     Outcome& outcome);

}  // namespace torno::files
