// access, faccessat, faccessat2. What the policy allows and the broker's own rights permit, both.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/reach.h"
#include "broker/files/self_fd.h"
#include "broker/files/special_file.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

constexpr unsigned kModes = R_OK | W_OK | X_OK;
constexpr unsigned kFlags = AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

// Before the object's type is known.
policy::Permissions wanted_by(unsigned mode) {
  policy::Permissions wanted = policy::kNone;
  if ((mode & R_OK) != 0) wanted |= policy::kRead;
  if ((mode & W_OK) != 0) wanted |= policy::kWrite;
  return wanted != policy::kNone ? wanted : policy::kStat;
}

// What is wanted besides, now that it is.
policy::Permissions wanted_of(const Pin& pin, const Aim& aim, unsigned mode) {
  policy::Permissions wanted = aim.wanted;
  if ((mode & X_OK) != 0) wanted |= pin.is(S_IFDIR) ? policy::kStat : policy::kExecute;
  if ((mode & (R_OK | W_OK)) != 0) wanted |= type_permission(pin);
  return wanted;
}

Step access_pinned(const Task& task, const Aim& aim, const AccessRequest& request,
                   const Target& target, const Pin& pin, Outcome& outcome) {
  if (const auto wanted = wanted_of(pin, aim, request.mode); wanted != aim.wanted) {
    const policy::Verdict verdict = task.policy.decide_file(target.path.view(), wanted);
    if (!verdict.allowed) {
      deny(outcome, target.path.view(), wanted, verdict.rule);
      return Step::kDenied;
    }
  }
  outcome = access_at_once(pin.fd.get(), request.mode, request.flags);
  return Step::kDone;
}

Step access_at(const Task& task, const Aim& aim, const AccessRequest& request, const Target& target,
               Outcome& outcome) {
  Pin pin;
  const Vetted vetted = vet(task, aim, target, pin, outcome);
  if (vetted != Vetted::kPinned) return step_without_pin(vetted, outcome);
  return access_pinned(task, aim, request, target, pin, outcome);
}

}  // namespace

Outcome access_file(const Task& task, const AccessRequest& request) {
  if ((request.mode & ~kModes) != 0 || (request.flags & ~kFlags) != 0) return failed(EINVAL);
  const Place& place = task.place;
  const bool follow = (request.flags & AT_SYMLINK_NOFOLLOW) == 0;
  const bool is_self_fd =
      place.base == Place::Base::kSelfFd && (follow || !is_link_to_self_fd(place));
  if (is_self_fd || means_descriptor(place, request.flags)) {
    return access_descriptor(task, place.fd, request.mode, request.flags);
  }
  Aim aim;
  aim.wanted = wanted_by(request.mode);
  // That a directory on the way may be entered is no more than that it is there. What turns out to
  // be none needs EXECUTE.
  aim.leads_suffice = (request.mode & (R_OK | W_OK)) == 0;
  aim.follow = follow;
  aim.empty_path = (request.flags & AT_EMPTY_PATH) != 0;
  return reach(task, aim, [&](const Target& target, Outcome& outcome) {
    return access_at(task, aim, request, target, outcome);
  });
}

}  // namespace torno::files
