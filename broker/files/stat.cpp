// stat, lstat, fstatat, statx.
#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/reach.h"
#include "broker/files/self_fd.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

constexpr unsigned kFlags =
    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE | AT_EMPTY_PATH;
constexpr unsigned kReservedMask = 0x80000000U;  // STATX__RESERVED

Step stat_at(const Task& task, const Aim& aim, const Target& target, Outcome& outcome) {
  Pin pin;
  const Vetted vetted = vet(task, aim, target, pin, outcome);
  if (vetted != Vetted::kPinned) return step_without_pin(vetted, outcome);
  outcome = Outcome{};
  outcome.stat = pin.stat;
  return Step::kDone;
}

}  // namespace

Outcome stat_file(const Task& task, const StatRequest& request) {
  const unsigned synchronise = request.flags & AT_STATX_SYNC_TYPE;
  if ((request.flags & ~kFlags) != 0 || synchronise == AT_STATX_SYNC_TYPE) return failed(EINVAL);
  if ((request.mask & kReservedMask) != 0) return failed(EINVAL);

  const Place& place = task.place;
  const bool follow = (request.flags & AT_SYMLINK_NOFOLLOW) == 0;
  if (means_descriptor(place, request.flags)) {
    return stat_descriptor(task, place.fd, request.flags, request.mask);
  }
  if (place.base == Place::Base::kSelfFd) {
    if (follow) return stat_descriptor(task, place.fd, request.flags, request.mask);
    if (!is_link_to_self_fd(place)) return stat_self_fd_link(task, request.mask);
  }
  Aim aim;
  aim.wanted = policy::kStat;
  aim.leads_suffice = true;
  aim.follow = follow;
  aim.empty_path = (request.flags & AT_EMPTY_PATH) != 0;
  aim.stat_mask = request.mask;
  aim.stat_flags = synchronise;
  return reach(task, aim, [&](const Target& target, Outcome& outcome) {
    return stat_at(task, aim, target, outcome);
  });
}

}  // namespace torno::files
