// The umask of threads that make files for a program: none, since modes arrive masked by it.
#pragma once

namespace torno::notify {

// From now on this thread has a umask of its own, which is 0, and a working directory of its own:
// those of the process, which may be anybody's program, stay. False: the kernel did not give it.
bool take_no_umask();

}  // namespace torno::notify
