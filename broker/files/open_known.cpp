// A pin and its reopening are four system calls more than the open itself. What they are for is
// that a device, a FIFO or a file of a slow file system is never opened before the policy has seen
// its type: opening alone has effects, or waits. Where none of these stood a moment ago, the
// object is opened first (as every path is walked: no link is followed, nothing is waited for) and
// looked at then. Only somebody who can move such an object to that very path would see it opened
// and closed; nobody is given it.
#include "broker/files/open_known.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "broker/files/vet.h"

namespace torno::files {

namespace {

constexpr std::uint64_t kLongWay = O_PATH | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

bool is_still(int fd, const KnownObjects::Identity& known) {
  struct stat now;
  // Not through libc, whose fstat asks with an empty path: twice the time.
  return ::syscall(SYS_fstat, fd, &now) == 0 && KnownObjects::identity_of(now) == known;
}

}  // namespace

bool open_known(const Task& task, const Aim& aim, const OpenRequest& request, const Target& target,
                Outcome& outcome) {
  if (task.wait != Wait::kNever || aim.same_as != nullptr) return false;
  if ((request.flags & kLongWay) != 0) return false;
  // "name/" demands a directory, which the descriptor would then show as a flag nobody gave.
  if (target.directory && (request.flags & O_DIRECTORY) == 0) return false;
  const std::string_view path = target.path.view();
  const auto known = task.broker.known->find(path);
  if (!known || !known->allows(aim.wanted, task.policy.serial())) return false;

  // What was mounted over the path since then would be somebody else's to answer for.
  const std::uint64_t same_mount = known->on_root_mount ? RESOLVE_NO_XDEV : 0;
  const Mounts::Start start = task.broker.mounts.start_of(path);
  auto fd = openat2(start.directory, start.path, request.flags | O_NONBLOCK | O_NOCTTY, 0,
                    kNoLinks | same_mount | task.cached());
  if (!fd || !is_still(fd->get(), known->object)) return false;
  if ((request.flags & O_NONBLOCK) == 0 &&
      ::fcntl(fd->get(), F_SETFL, static_cast<int>(request.flags)) != 0) {
    return false;
  }
  outcome.fd = std::move(*fd);
  return true;
}

}  // namespace torno::files
