// Processes: what a test asks of another process.
#pragma once

#include <sys/types.h>

#include <functional>

namespace torno::test {

// How many descriptors a process has open; -1 where this user cannot know: a broker is not
// dumpable, and then only root, or anybody from Linux 6.2 on, is told.
int count_fds(pid_t pid);

// Is this process's root a mount? In a plain chroot it is not, and there new mount namespaces show
// paths from outside.
bool root_is_a_mount();

// The system call alone. TSan starts a thread in the child of libc's fork; torno_enter refuses
// that, and a filter without the library's handler kills it.
pid_t fork_alone();

// Asks again and again until it is true; false when it is not after a generous while. For what
// another process does in its own time.
bool eventually(const std::function<bool()>& condition);

}  // namespace torno::test
