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

  // A mount that was made meanwhile, and is known to be one of them.
  void add(std::uint64_t mount_id);

  bool contains(std::uint64_t mount_id) const;
  // Of those: may a file be opened for writing as well? On overlayfs that first copies a file of
  // the lower layer, whatever its size.
  bool writes_at_once(std::uint64_t mount_id) const;

 private:
  std::vector<std::uint64_t> ids_;       // sorted
  std::vector<std::uint64_t> overlays_;  // of those, sorted
};

// The mount id of one line of /proc/self/mountinfo, if its file system is a local one; else 0.
struct LocalMount {
  std::uint64_t id = 0;
  bool overlay = false;
};
LocalMount local_mount(std::string_view mountinfo_line);

}  // namespace torno::files
