#include "broker/policy/stamp.h"

#include <cerrno>
#include <functional>
#include <utility>

#include "broker/policy/find.h"

namespace torno::policy {
namespace {

// The coarsest clock of a file system in use (FAT).
constexpr time_t kTick = 2;

bool same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// A time to come, by another machine's clock, counts as young.
bool is_young(const timespec& changed) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return changed.tv_sec + kTick >= now.tv_sec;
}

std::size_t digest_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

}  // namespace

Stamp::Identity Stamp::identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

Stamp Stamp::of_nothing(std::string path) {
  Stamp stamp;
  stamp.path_ = std::move(path);
  return stamp;
}

Stamp Stamp::of_file(std::string path, const struct stat& status, std::string_view text) {
  Stamp stamp;
  stamp.path_ = std::move(path);
  stamp.exists_ = true;
  stamp.identity_ = identity_of(status);
  stamp.young_ = is_young(status.st_ctim);
  stamp.digest_ = digest_of(text);
  return stamp;
}

bool Stamp::holds() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) {
    return !exists_ && (errno == ENOENT || errno == ENOTDIR);
  }
  if (!exists_) return false;
  const Identity now = identity_of(status);
  if (now.device != identity_.device || now.inode != identity_.inode ||
      now.size != identity_.size || !same(now.modified, identity_.modified) ||
      !same(now.changed, identity_.changed)) {
    return false;
  }
  if (!young_) return true;
  const auto text = read_policy(path_);
  return text && digest_of(text->text) == digest_;
}

}  // namespace torno::policy
