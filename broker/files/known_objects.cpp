#include "broker/files/known_objects.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <functional>

namespace torno::files {

namespace {

// The one who finds an entry in use goes without it.
class Hold {
 public:
  explicit Hold(std::atomic_flag& busy)
      : busy_(busy), held_(!busy.test_and_set(std::memory_order_acquire)) {}
  ~Hold() {
    if (held_) busy_.clear(std::memory_order_release);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  explicit operator bool() const { return held_; }

 private:
  std::atomic_flag& busy_;
  const bool held_;
};

}  // namespace

std::optional<KnownObjects::Identity> KnownObjects::identity_of(const struct statx& object) {
  const mode_t type = object.stx_mode & S_IFMT;
  if (type != S_IFREG && type != S_IFDIR) return std::nullopt;
  return Identity{makedev(object.stx_dev_major, object.stx_dev_minor), object.stx_ino, type};
}

KnownObjects::Identity KnownObjects::identity_of(const struct stat& object) {
  return {object.st_dev, object.st_ino, object.st_mode & S_IFMT};
}

void KnownObjects::remember(std::string_view path, Known known) {
  if (path.size() > kMaxPath) return;
  Entry& entry = entries_[std::hash<std::string_view>{}(path) % kEntries];
  const Hold hold(entry.busy);
  if (!hold) return;
  if (!entry.is_about(path)) {
    std::ranges::copy(path, entry.path.begin());
    entry.size = static_cast<std::uint8_t>(path.size());
  } else if (entry.known.policy == known.policy && entry.known.object == known.object &&
             entry.known.on_root_mount == known.on_root_mount) {
    // Of the same object: what is refused of one may be allowed of another.
    known.allowed |= entry.known.allowed;
  }
  entry.known = known;
}

std::optional<KnownObjects::Known> KnownObjects::find(std::string_view path) const {
  if (path.size() > kMaxPath) return std::nullopt;
  const Entry& entry = entries_[std::hash<std::string_view>{}(path) % kEntries];
  const Hold hold(entry.busy);
  if (!hold || !entry.is_about(path)) return std::nullopt;
  return entry.known;
}

}  // namespace torno::files
