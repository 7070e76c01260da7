#include "broker/files/create.h"

#include <cerrno>

#include "broker/files/deny.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

Step finish(Outcome& outcome, Outcome result) {
  outcome = std::move(result);
  return Step::kDone;
}

Step finish(Outcome& outcome, std::expected<Fd, int> made) {
  if (!made) return finish(outcome, failed(made.error()));
  outcome = Outcome{};
  outcome.fd = std::move(*made);
  return Step::kDone;
}

}  // namespace

Step create_file(const Task& task, const Aim& aim, const OpenRequest& request, const Target& target,
                 Outcome& outcome) {
  const auto wanted = static_cast<policy::Permissions>(aim.wanted | policy::kCreate);
  const policy::Verdict verdict = task.policy.decide_file(target.path.view(), wanted);
  if (!verdict.allowed) {
    deny(outcome, target.path.view(), wanted, verdict.rule);
    return Step::kDenied;
  }
  if (task.wait == Wait::kNever) return finish(outcome, wait_needed());

  // O_EXCL: what is made is a plain file of ours; whatever came there meanwhile has not been
  // looked at, and is looked at now.
  const Mounts::Start start = task.broker.mounts.start_of(target.path.view());
  auto made = openat2(start.directory, start.path, request.flags | O_EXCL | O_NOCTTY, request.mode,
                      kNoLinks);
  const bool asked_exclusive = (request.flags & O_EXCL) != 0;
  if (!made && made.error() == EEXIST && !asked_exclusive) return Step::kChanged;
  if (!made && made.error() == ELOOP) return Step::kChanged;
  return finish(outcome, std::move(made));
}

Step create_nameless(const Task& task, const OpenRequest& request, const Pin& directory,
                     Outcome& outcome) {
  if (task.wait == Wait::kNever) return finish(outcome, wait_needed());
  return finish(outcome, task.broker.reopen(directory.fd, static_cast<int>(request.flags),
                                            static_cast<mode_t>(request.mode)));
}

}  // namespace torno::files
