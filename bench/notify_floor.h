// The floor of a call that is answered by seccomp's user notifications: hand-written, without
// policy or checks of the path.
#pragma once

#include <string>
#include <vector>

namespace torno::bench {

// Runs `command` with its openat calls answered by this process; false when it could not be
// started. Each: receive, read the path, ask whether the call still waits, open, pass on.
bool run_under_floor(const std::vector<std::string>& command);

}  // namespace torno::bench
