#include "broker/files/change.h"

#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/reach.h"
#include "broker/files/self_fd.h"
#include "broker/files/special_file.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

// Whoever may change a directory on the way to the broker's own lets others write there.
bool is_way_to_own(const Task& task, const Target& target, const Pin& pin) {
  return pin.is(S_IFDIR) &&
         (task.broker.own.leads_through(target.path.view()) || task.broker.own.leads_by(pin.stat));
}

Step change_pinned(const Task& task, const Aim& aim, const Change& change, const Target& target,
                   const Pin& pin, Outcome& outcome) {
  const auto wanted = static_cast<policy::Permissions>(aim.wanted | type_permission(pin));
  const policy::Verdict verdict = task.policy.decide_file(target.path.view(), wanted);
  if (!verdict.allowed || is_way_to_own(task, target, pin)) {
    deny(outcome, target.path.view(), wanted, verdict.allowed ? nullptr : verdict.rule);
    return Step::kDenied;
  }
  outcome = task.wait == Wait::kNever ? wait_needed() : failed(change.at_pin(pin));
  return Step::kDone;
}

Step change_at(const Task& task, const Aim& aim, const Change& change, const Target& target,
               Outcome& outcome) {
  Pin pin;
  const Vetted vetted = vet(task, aim, target, pin, outcome);
  if (vetted != Vetted::kPinned) return step_without_pin(vetted, outcome);
  return change_pinned(task, aim, change, target, pin, outcome);
}

Outcome change_path(const Task& task, const Aim& aim, const Change& change) {
  return reach(task, aim, [&](const Target& target, Outcome& outcome) {
    return change_at(task, aim, change, target, outcome);
  });
}

Outcome change_nameless(const Task& task, const Descriptor& descriptor, const Change& change) {
  const mode_t type = descriptor.stat.stx_mode & S_IFMT;
  const bool has_own_inode = type == S_IFREG || type == S_IFIFO || type == S_IFSOCK;
  if (!has_own_inode) return failed(EPERM);
  if ((held_by(task.place.fd) & policy::kWrite) == 0) return failed(EACCES);
  if (task.wait == Wait::kNever) return wait_needed();
  return failed(change.at_descriptor(task.place.fd, descriptor.stat));
}

Outcome change_own_descriptor(const Task& task, Aim aim, const Change& change) {
  Descriptor descriptor;
  if (const int error = describe(task, descriptor); error != 0) return failed(error);
  if (!descriptor.has_path()) return change_nameless(task, descriptor, change);
  const Place place = descriptor.place(task.place);
  aim.follow = false;
  aim.empty_path = false;
  aim.same_as = &descriptor.stat;
  return change_path({task.broker, task.policy, place, task.wait}, aim, change);
}

}  // namespace

Outcome change(const Task& task, std::uint32_t flags, const Change& change) {
  Aim aim;
  aim.wanted = policy::kWrite;
  aim.follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
  aim.empty_path = (flags & AT_EMPTY_PATH) != 0;
  const Place& place = task.place;
  if (means_descriptor(place, flags)) return change_own_descriptor(task, aim, change);
  if (place.base == Place::Base::kSelfFd && aim.follow) {
    return change_own_descriptor(task, aim, change);
  }
  // The links in /proc/self/fd are the kernel's own.
  if (place.base == Place::Base::kSelfFd && !is_link_to_self_fd(place)) return failed(EPERM);
  return change_path(task, aim, change);
}

}  // namespace torno::files
