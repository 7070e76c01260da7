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
  const Vetted vetted = vet(task, aim, target, pin, outcome);
  if (vetted != Vetted::kPinned) return step_without_pin(vetted, outcome);
  outcome = stat_pinned(pin.fd.get());
  return Step::kDone;
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
