// The calls, a file each, named for it; socket.cpp for connect, make.cpp for mkdir and mknod.
#pragma once

#include "broker/files/task.h"

namespace torno::files {

Outcome open_file(const Task& task, const OpenRequest& request);
Outcome stat_file(const Task& task, const StatRequest& request);
Outcome access_file(const Task& task, const AccessRequest& request);
Outcome read_link(const Task& task, const ReadlinkRequest& request);
Outcome pin_socket_file(const Task& task);
Outcome make_directory(const Task& task, const MakeRequest& request);
Outcome make_node(const Task& task, const MakeRequest& request);
Outcome remove_entry(const Task& task, const RemoveRequest& request);
// `task` is at request.from.
Outcome rename_entry(const Task& task, const RenameRequest& request);
Outcome link_file(const Task& task, const LinkRequest& request);
Outcome make_symlink(const Task& task, const SymlinkRequest& request);
Outcome change_mode(const Task& task, const ChmodRequest& request);
Outcome change_owner(const Task& task, const ChownRequest& request);
Outcome change_times(const Task& task, const TimesRequest& request);
Outcome truncate_file(const Task& task, const TruncateRequest& request);
Outcome stat_file_system(const Task& task);

// open_file() of a checked request; with `same_as`, only if that very object is found.
Outcome open_path(const Task& task, const OpenRequest& request, const struct statx* same_as);

// An empty path with AT_EMPTY_PATH: the client's own descriptor is meant.
inline bool means_descriptor(const Place& place, std::uint32_t flags) {
  return place.base == Place::Base::kFd && place.path.empty() && (flags & AT_EMPTY_PATH) != 0;
}

}  // namespace torno::files
