// The name of a directory that a client sent a descriptor of.
#pragma once

#include <string>

#include "broker/files/task.h"

namespace torno::files {

// The name proves nothing: in a mount namespace of the client's own, a bind mount makes /root read
// as /usr/share/fonts. So it counts only if the broker finds the very same directory, of the same
// mount, at that name. False: the outcome is filled.
bool directory_name(const Task& task, int fd, std::string& name, Outcome& outcome);

}  // namespace torno::files
