// The SIGSYS handler: where every trapped call arrives.
#pragma once

namespace torno {

// Installs it, keeps the program's own action for SIGSYS aside, and unblocks the signal: 0 or
// -errno. remove_handler puts the program's action back (before the filter is loaded).
long install_handler();
void remove_handler();

}  // namespace torno
