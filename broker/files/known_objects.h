// KnownObjects: the plain files and directories that were pinned lately, by the path they stood at.
// open() takes the short way for them (open_known.cpp): what stands there is opened at once, and
// given away only if it still is the object that was looked at.
//
// A hint, never a verdict: an entry may be old, or somebody else's. Thread safety: all members may
// be called from any thread, and none waits.
#pragma once

#include <sys/stat.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/policy/permission.h"

namespace torno::files {

class KnownObjects {
 public:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    mode_t type = 0;

    bool operator==(const Identity&) const = default;
  };

  struct Known {
    Identity object;
    bool on_root_mount = false;
    // What a policy was seen to allow at the path; decide() is pure, so it still does.
    std::uint64_t policy = 0;  // its serial(); 0: none
    policy::Permissions allowed = policy::kNone;

    bool allows(policy::Permissions wanted, std::uint64_t serial) const {
      return serial != 0 && policy == serial && (wanted & ~allowed) == 0;
    }
  };

  static std::optional<Identity> identity_of(const struct statx& object);
  static Identity identity_of(const struct stat& object);

  void remember(std::string_view path, Known known);
  std::optional<Known> find(std::string_view path) const;

 private:
  // Paths longer than this are looked at every time.
  static constexpr std::size_t kMaxPath = 200;
  static constexpr std::size_t kEntries = 512;  // 136 KiB in all

  struct Entry {
    mutable std::atomic_flag busy;
    std::uint8_t size = 0;
    std::array<char, kMaxPath> path;
    Known known;

    bool is_about(std::string_view asked) const {
      return std::string_view(path.data(), size) == asked;
    }
  };
  static_assert(kMaxPath <= UINT8_MAX);

  std::array<Entry, kEntries> entries_;
};

}  // namespace torno::files
