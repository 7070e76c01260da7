#include "broker/files/start.h"

#include <cerrno>

#include "broker/files/deny.h"
#include "broker/files/directory.h"
#include "broker/files/procfs.h"

namespace torno::files {

namespace {

bool fail(Outcome& outcome, int error) {
  outcome = failed(error);
  return false;
}

}  // namespace

bool Start::find(const Task& task, const Aim& aim, Outcome& outcome) {
  const Place& place = task.place;
  path_ = place.path;
  if (path_.empty() && aim.empty_path && place.base == Place::Base::kCwd) path_ = ".";
  if (path_.empty()) return fail(outcome, ENOENT);
  if (path_.size() >= PATH_MAX) return fail(outcome, ENAMETOOLONG);
  if (path_.find('\0') != path_.npos) return fail(outcome, EINVAL);

  const bool absolute = path_.front() == '/';
  if (absolute && (aim.resolve & RESOLVE_BENEATH) != 0) return fail(outcome, EXDEV);
  if (absolute && (aim.resolve & RESOLVE_IN_ROOT) == 0) return true;
  return find_base(task, outcome);
}

bool Start::find_base(const Task& task, Outcome& outcome) {
  const Place& place = task.place;
  switch (place.base) {
    case Place::Base::kCwd:
      // "(unreachable)/…" is what getcwd says of a directory outside the root.
      if (!place.cwd.starts_with('/')) return fail(outcome, ENOENT);
      if (place.cwd.size() >= PATH_MAX) return fail(outcome, ENAMETOOLONG);
      if (place.cwd.find('\0') != place.cwd.npos) return fail(outcome, EINVAL);
      base_ = place.cwd;
      return true;
    case Place::Base::kFd: {
      if (!directory_name(task, place.fd, directory_name_, outcome)) return false;
      base_ = directory_name_;
      return true;
    }
    case Place::Base::kAbsolute:
    case Place::Base::kSelfFd:
      return fail(outcome, EINVAL);
  }
  return fail(outcome, EINVAL);
}

bool Start::resolve_by_text(const Aim& aim, Target& target) const {
  if (aim.resolve != 0) return false;
  target.path.clear();
  using Append = CanonicalPath::Append;
  if (target.path.append(base_) != Append::kDone) return false;
  if (target.path.append(path_) != Append::kDone) return false;
  target.directory = names_directory(path_);
  return !procfs::covers(target.path.view());
}

}  // namespace torno::files
