// reach(): the way of every request: resolve, decide, act.
#pragma once

#include <cerrno>

#include "broker/files/deny.h"
#include "broker/files/start.h"
#include "broker/files/task.h"
#include "broker/files/walk.h"

namespace torno::files {

// How often a path may change under the walk. Somebody who swaps links without end gets ELOOP.
inline constexpr int kMaxAttempts = 16;

// `act` is Step(const Target&, Outcome&). It goes through vet(), and so decides on its own what
// may be done with the target; this function only finds targets for it.
template <typename Act>
Outcome reach(const Task& task, const Aim& aim, Act act) {
  Outcome outcome;
  Start start;
  if (!start.find(task, aim, outcome)) return outcome;
  Target target;
  if (start.resolve_by_text(aim, target) && act(target, outcome) == Step::kDone) {
    // A kernel with fs.protected_symlinks refuses somebody else's link in a sticky directory at the
    // end of a path, which in "link/." it is not.
    const bool may_be_way = target.directory && outcome.error == EACCES && !outcome.denial;
    if (!may_be_way) return outcome;
  }

  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    outcome = Outcome{};
    if (!walk(task, aim, start, target, outcome)) return outcome;
    switch (act(target, outcome)) {
      case Step::kDone:
        return outcome;
      case Step::kDenied:
        // The walk saw that nothing is there, where the policy lets that be seen.
        if (target.missing && !aim.create && aim.wanted != policy::kNone) outcome = failed(ENOENT);
        return outcome;
      case Step::kChanged:
        break;
    }
  }
  outcome = failed(ELOOP);
  return outcome;  // always this one, so that it is made where the caller wants it
}

}  // namespace torno::files
