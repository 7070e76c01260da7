// Target: what a request is about, as it travels: a path, where it starts, and the descriptor
// that goes along.
#pragma once

#include <cstddef>

#include "proto/wire.pb.h"
#include "sandboxee/pool.h"
#include "sandboxee/trap.h"

namespace torno {

struct Target {
  const char* path = nullptr;  // the program's own memory, not copied
  std::size_t path_size = 0;
  std::size_t cwd_size = 0;  // of slot.cwd
  torno_wire_Directory directory = torno_wire_Directory_DIRECTORY_NONE;
  int fd = -1;                // sent beside the message
  bool fd_from_path = false;  // the path named it: ENOENT when it is not open, not EBADF

  // The new name of rename and link; at the same working directory. Of symlink the link's text.
  const char* second_path = nullptr;
  std::size_t second_path_size = 0;
  torno_wire_Directory second_directory = torno_wire_Directory_DIRECTORY_NONE;
  int second_fd = -1;
  bool second_fd_from_path = false;
};

// May the path be empty, and mean the descriptor itself? kLater: no, but the kernel says so only
// once another path has led somewhere.
enum class Empty { kRefused, kAllowed, kLater };

// Finds out where `path` starts: 0, or the -errno the kernel gives for such a path. `resolve` as
// of openat2(2).
long find_target(Slot& slot, int directory, raw::Word path, Empty empty, Target& target,
                 std::uint64_t resolve = 0);

// The same for the second path.
long find_second_target(Slot& slot, int directory, raw::Word path, Target& target);

// A descriptor of the program's itself.
long find_descriptor(int fd, Target& target);

// Puts the working directory into slot.cwd and target.
long add_cwd(Slot& slot, Target& target);

}  // namespace torno
