// A unix socket, pinned for connect.
#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/reach.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

Step pin_at(const Task& task, const Aim& aim, const Target& target, Outcome& outcome) {
  Pin pin;
  const Vetted vetted = vet(task, aim, target, pin, outcome);
  switch (vetted) {
    case Vetted::kPinned:
      outcome = Outcome{};
      outcome.fd = std::move(pin.fd);
      break;
    case Vetted::kDenied:
      return Step::kDenied;
    case Vetted::kChanged:
      return Step::kChanged;
    case Vetted::kFailed:
    case Vetted::kMissing:
      break;
    case Vetted::kWaitNeeded:
      outcome = wait_needed();
      return Step::kDone;
  }
  outcome.target = target.path.view();
  return Step::kDone;
}

}  // namespace

Outcome pin_socket_file(const Task& task) {
  const Aim aim;  // wants nothing by itself: the caller decides on the target
  return reach(task, aim, [&](const Target& target, Outcome& outcome) {
    return pin_at(task, aim, target, outcome);
  });
}

}  // namespace torno::files
