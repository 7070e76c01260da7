// The calls, a file each. open.cpp, stat.cpp, access.cpp, readlink.cpp, socket.cpp.
#pragma once

#include "broker/files/task.h"

namespace torno::files {

Outcome open_file(const Task& task, const OpenRequest& request);
Outcome stat_file(const Task& task, const StatRequest& request);
Outcome access_file(const Task& task, const AccessRequest& request);
Outcome read_link(const Task& task, const ReadlinkRequest& request);
Outcome pin_socket_file(const Task& task);

// open_file() of a checked request; with `same_as`, only if that very object is found.
Outcome open_path(const Task& task, const OpenRequest& request, const struct statx* same_as);

// An empty path with AT_EMPTY_PATH: the client's own descriptor is meant.
inline bool means_descriptor(const Place& place, std::uint32_t flags) {
  return place.base == Place::Base::kFd && place.path.empty() && (flags & AT_EMPTY_PATH) != 0;
}

}  // namespace torno::files
