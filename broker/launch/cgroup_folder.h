// CgroupFolder: one folder of a cgroup hierarchy: its files, the processes in it, its end.
#pragma once

#include <cstdint>
#include <string>

#include "broker/base/fd.h"
#include "broker/launch/cgroup_place.h"

namespace torno::launch {

// A new name, which tells whose folder it is: "torno-PID-RANDOM".
std::string cgroup_name();

// The folder, locked by this process; nothing, with errno, where there is none or another has it.
Fd open_locked(const std::string& path);

// Writes one of the folder's files; errno tells of a failure.
bool write_value(const Fd& folder, const char* file, const std::string& value);

// "KEY NUMBER" in one of the folder's files; 0: it is not there.
std::uint64_t read_count(const Fd& folder, const char* file, const std::string& key);

// Kills who is in the folder, and removes it; gives up after a while: a process may wait in the
// kernel for a disk. False: it is still there.
bool end_cgroup(const Fd& folder, const std::string& path, CgroupVersion version);

// Removes what killed launchers of this user's have left in `parent`.
void remove_stale_cgroups(const std::string& parent, CgroupVersion version);

}  // namespace torno::launch
