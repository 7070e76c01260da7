// Devices, FIFOs and sockets: the type of a pinned object is known before it is opened, for the
// open alone can rewind a tape, start a watchdog or let a FIFO's writer go on.
#pragma once

#include <cstdint>

#include "broker/files/task.h"

namespace torno::files {

// The permission that a rule gives by naming the type; kNone for files, directories, symlinks.
policy::Permissions type_permission(const Pin& pin);

// Opens the pinned object with the client's flags, without ever holding up a thread that must not
// be: kWaitNeeded. What is opened there with O_NONBLOCK added has its flags put back.
enum class Opened { kDone, kFailed, kWaitNeeded };
Opened open_pinned(const Task& task, const Pin& pin, std::uint64_t flags, Outcome& outcome);

}  // namespace torno::files
