#include "broker/files/sticky.h"

namespace torno::files {

namespace {

// Has somebody else put it into a directory where anybody may put things?
bool is_foreign_in_sticky(const Task& task, int directory, const struct statx& object) {
  if (object.stx_uid == task.broker.user) return false;
  struct statx parent{};
  if (identify(directory, parent) != 0) return true;
  constexpr unsigned kAnybody = S_ISVTX | S_IWOTH;
  return (parent.stx_mode & kAnybody) == kAnybody && parent.stx_uid != object.stx_uid;
}

}  // namespace

bool may_follow_link(const Task& task, int directory, const struct statx& link) {
  return !is_foreign_in_sticky(task, directory, link);
}

bool may_reuse(const Task& task, const CanonicalPath& path, const Pin& existing) {
  if (!existing.is(S_IFREG) && !existing.is(S_IFIFO)) return true;
  if (existing.stat.stx_uid == task.broker.user) return true;
  CanonicalPath parent = path;
  parent.pop();
  const Mounts::Start start = task.broker.mounts.start_of(parent.view());
  const auto directory =
      openat2(start.directory, start.path, O_PATH | O_DIRECTORY, 0, kNoLinks | task.cached());
  return directory && !is_foreign_in_sticky(task, directory->get(), existing.stat);
}

}  // namespace torno::files
