// statfs.
#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/reach.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

Outcome stat_pinned(int fd) {
  Outcome outcome;
  outcome.error = ::fstatfs(fd, &outcome.file_system) == 0 ? 0 : errno;
  return outcome;
}

Step stat_at(const Task& task, const Aim& aim, const Target& target, Outcome& outcome) {
  Pin pin;
  switch (vet(task, aim, target, pin, outcome)) {
    case Vetted::kPinned:
      outcome = stat_pinned(pin.fd.get());
      return Step::kDone;
    case Vetted::kDenied:
      return Step::kDenied;
    case Vetted::kChanged:
      return Step::kChanged;
    case Vetted::kFailed:
    case Vetted::kMissing:
      return Step::kDone;
    case Vetted::kWaitNeeded:
      outcome = wait_needed();
      return Step::kDone;
  }
  return Step::kDenied;
}

}  // namespace

Outcome stat_file_system(const Task& task) {
  if (task.place.base == Place::Base::kSelfFd) {
    if (task.wait == Wait::kNever) return wait_needed();
    return stat_pinned(task.place.fd);
  }
  Aim aim;
  aim.wanted = policy::kStat;
  return reach(task, aim, [&](const Target& target, Outcome& outcome) {
    return stat_at(task, aim, target, outcome);
  });
}

}  // namespace torno::files
