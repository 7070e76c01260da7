// Cgroup: the cgroups of one launched program, which bound what all its processes use together.
//
// The program alone is in them; init, which tells how it ended, is not, so that it is neither
// counted nor killed when memory is used up.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/launch/cgroup_place.h"

namespace torno::launch {

// 0: no limit.
struct CgroupLimits {
  std::uint64_t memory = 0;     // bytes, swap included
  std::uint64_t processes = 0;  // threads count
  std::uint64_t cpus = 0;       // hundredths of a processor
};

class Cgroup {
 public:
  // As far as this user may: a limit that no cgroup holds has no version, and missing() says why.
  // What launchers that were killed have left is removed on the way.
  static Cgroup make(const CgroupLimits& limits);
  Cgroup() = default;
  Cgroup(Cgroup&&) = default;
  Cgroup& operator=(Cgroup&& other) noexcept {
    std::swap(folders_, other.folders_);
    std::swap(missing_, other.missing_);
    return *this;
  }
  // As end().
  ~Cgroup();

  std::optional<CgroupVersion> version(Controller controller) const;
  const std::string& missing() const { return missing_; }

  // Takes the process in. It must have one thread, and no children.
  Result<void> add(pid_t process) const;

  // Has the kernel killed a process in here, for its memory was used up?
  bool ran_out_of_memory() const;

  // Kills whoever is left, and removes the folders.
  void end();

 private:
  struct Folder {
    CgroupPlace place;
    std::string name;
    Fd fd;  // locked: a folder without a lock has lost its launcher
  };
  static Result<Folder> make_folder(const CgroupPlace& place, const CgroupLimits& limits);

  std::vector<Folder> folders_;
  std::string missing_;
};

}  // namespace torno::launch
