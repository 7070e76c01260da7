// CgroupPlace: the folders of the kernel's in which this process may make a cgroup for a program.
// Each controller is in the one v2 hierarchy or in a v1 hierarchy of its own, and a machine may
// have both kinds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torno::launch {

enum class Controller : std::uint8_t { kMemory, kProcesses, kCpu };

// The kernel's name: "memory", "pids", "cpu".
const char* name_of(Controller controller);

enum class CgroupVersion : std::uint8_t { kV1 = 1, kV2 = 2 };

struct CgroupPlace {
  CgroupVersion version = CgroupVersion::kV2;
  std::string folder;  // a cgroup made in here has the controllers
  std::vector<Controller> controllers;
};

struct CgroupPlaces {
  std::vector<CgroupPlace> found;
  std::string missing;  // why a controller is in none of them; empty: all are
};

// With v2 a process and controllers for children do not go together in one folder, so this
// process's own is hardly ever good, and a folder above it is looked for that this user may write:
// that is what delegation means. A process is in one cgroup of v2, so one folder must have all that
// v2 has of the controllers.
//
// `enable`: controllers may be switched on for the children of a folder, which stays.
CgroupPlaces find_cgroup_places(const std::vector<Controller>& controllers, bool enable);

}  // namespace torno::launch
