#include "broker/files/directory.h"

#include <cerrno>

#include "broker/files/deny.h"

namespace torno::files {

bool directory_name(const Task& task, int fd, std::string& name, Outcome& outcome) {
  const auto fail = [&outcome](int error) {
    outcome = failed(error);
    return false;
  };
  struct statx theirs{};
  if (const int error = identify(fd, theirs); error != 0) return fail(error);
  if ((theirs.stx_mode & S_IFMT) != S_IFDIR) return fail(ENOTDIR);
  if (theirs.stx_nlink == 0) return fail(ENOENT);  // deleted
  if (const int error = task.broker.name_of(fd, name); error != 0) return fail(error);
  if (!name.starts_with('/')) return fail(EACCES);

  // Whatever goes wrong from here on answers alike: the name is of the client's choosing, and may
  // be that of something it is not to know of.
  const Mounts::Start start = task.broker.mounts.start_of(name);
  const auto ours =
      openat2(start.directory, start.path, O_PATH | O_DIRECTORY, 0, kNoLinks | task.cached());
  if (!ours && ours.error() == EAGAIN && task.wait == Wait::kNever) {
    outcome = wait_needed();
    return false;
  }
  struct statx found{};
  if (!ours || identify(ours->get(), found) != 0) return fail(EACCES);
  const bool same = same_object(theirs, found) && theirs.stx_mnt_id == found.stx_mnt_id;
  return same || fail(EACCES);
}

}  // namespace torno::files
