// Descriptors: the reserved numbers, above the hard RLIMIT_NOFILE, where nothing of the program's
// can land: neither dup2 nor running out of numbers reaches them.
#pragma once

#include "sandboxee/failure.h"
#include "sandboxee/fd.h"

namespace torno {

// Are the reserved numbers free, and within the hard limit? Changes nothing.
bool check_descriptors(Failure& fail);

// Moves `control` to CONTROL_FD, asks for the first channel and puts it beside, makes the pool.
// The soft limit is the hard one afterwards, until lower_open_files.
bool place_descriptors(Fd control, Failure& fail);
// The same with the control socket in its place, which the launcher put there.
bool adopt_descriptors(Failure& fail);
void abandon_descriptors();

// The limits of the seal. `open_files`: the policy's, or 0.
bool lower_open_files(unsigned open_files, Failure& fail);

}  // namespace torno
