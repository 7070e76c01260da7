// Foundation: what every request stands on, made once.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/files/known_objects.h"
#include "broker/files/local_mounts.h"
#include "broker/files/mounts.h"
#include "broker/files/protected.h"
#include "broker/files/rename_turns.h"

namespace torno::files {

struct Foundation {
  static Result<Foundation> lay(const std::vector<std::string>& protected_paths);

  // Opens anew, with other flags, what an O_PATH descriptor pins: nothing is looked up by its
  // name again. The fd or an errno value.
  std::expected<Fd, int> reopen(const Fd& pin, int flags, mode_t mode = 0) const;

  // Where descriptor `fd` of this process stands in /proc/self/fd: the calls that take no
  // descriptor but follow links act on what it is by that name. An errno value, or 0.
  struct OwnLink {
    int directory = -1;
    std::array<char, 12> name{};
  };
  int link_of(int fd, OwnLink& link) const;

  // What the kernel says descriptor `fd` of this process is called. An errno value, or 0.
  int name_of(int fd, std::string& name) const;

  // About the link of descriptor `fd` in /proc/self/fd itself.
  int stat_link_of(int fd, unsigned mask, struct statx& stat) const;

  Mounts mounts;
  std::uint64_t root_mount = 0;
  Fd own_descriptors;  // /proc/self/fd, O_PATH
  pid_t owner = 0;     // the process whose descriptors those are
  uid_t user = 0;      // the broker's effective one
  Protected own;
  LocalMounts local;
  std::unique_ptr<KnownObjects> known = std::make_unique<KnownObjects>();
  std::unique_ptr<RenameTurns> rename_turns = std::make_unique<RenameTurns>();
};

}  // namespace torno::files
