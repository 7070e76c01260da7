// LocalMounts: the mounts whose files open without waiting for anybody: not FUSE, NFS and the
// like, where a server (the attacker's, perhaps) answers when it pleases.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/base/error.h"

namespace torno::files {

class LocalMounts {
 public:
  // As they are now. What is mounted later counts as slow, which costs a thread change and nothing
  // else. The kernel may give a mount's number to another one after an umount: such a mount may
  // hold a thread up; no verdict depends on it.
  static Result<LocalMounts> read();

  bool contains(std::uint64_t mount_id) const;

 private:
  std::vector<std::uint64_t> ids_;  // sorted
};

// The mount id of one line of /proc/self/mountinfo, if its file system is a local one; else 0.
std::uint64_t local_mount_id(std::string_view mountinfo_line);

}  // namespace torno::files
