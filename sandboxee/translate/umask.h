// The umask, remembered so that a brokered open need not ask the kernel for it (asking means
// setting it). A child of vfork has one of its own, which is not followed.
#pragma once

namespace torno::umask_cache {

void remember(unsigned mask);
unsigned get();

}  // namespace torno::umask_cache
