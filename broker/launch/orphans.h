// Orphans: those of a program's processes that lose both their parent and init, where no pid
// namespace ends them with it.
#pragma once

namespace torno::launch {

// From now on they become children of this process. Not where it has children already: those of
// the process that it was before its exec would be taken for the program's.
bool adopt_orphans();

// Kills and waits for all children of this process, and those that it gets by that.
void end_orphans();

}  // namespace torno::launch
