// Preload: the library that is loaded into a launched program to seal it with a trap filter, on top
// of the notify filter that confines it from its first instruction.
#pragma once

#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/launch/program.h"
#include "broker/policy/policy.h"

namespace torno::launch {

// Torno's library, absolute and without symlinks: the one of the folder `lib` beside that of the
// running program, else the installed one. No variable leads to another. An error when somebody
// else could have written it.
Result<std::string> find_preload();

// Why a program under this policy cannot have a trap filter on top; empty: it can.
std::string why_no_trap(const policy::Policy& policy, const Program& program);

// Has the loader load `library` before everything else, and before what LD_PRELOAD names already.
// The library takes itself out of the variable.
void add_preload(const std::string& library, std::vector<std::string>& environment);

}  // namespace torno::launch
