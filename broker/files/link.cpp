// link, linkat. What is linked is the pinned object itself: another that comes to its name
// meanwhile is not.
#include <unistd.h>

#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/deny.h"
#include "broker/files/entry.h"
#include "broker/files/reach.h"
#include "broker/files/rights.h"
#include "broker/files/self_fd.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

constexpr std::uint32_t kFlags = AT_SYMLINK_FOLLOW | AT_EMPTY_PATH;

int link_descriptor(const Task& task, int fd, const Entry& to) {
  Foundation::OwnLink link;
  if (const int error = task.broker.link_of(fd, link); error != 0) return error;
  const int result = ::linkat(link.directory, link.name.data(), to.directory.fd.get(),
                              to.name.c_str(), AT_SYMLINK_FOLLOW);
  return result == 0 ? 0 : errno;
}

// A name for what is at `from`, or for nothing that has one (O_TMPFILE).
Outcome link_at(const Task& task, const LinkRequest& request, int fd, const struct statx& object,
                std::string_view from) {
  Outcome outcome;
  Entry to;
  const Task at_target{task.broker, task.policy, request.to, task.wait};
  if (!find_entry(at_target, Expected::kMissing, to, outcome)) return outcome;
  if (task.wait == Wait::kNever) return wait_needed();
  if (to.ordinary) {
    if (is_kept_name(task, to, outcome)) return outcome;
    Pin there;
    if (look_at(to, there) == 0) return failed(EEXIST);
    if ((object.stx_mode & S_IFMT) == S_IFDIR) return failed(EPERM);
    if (task.policy.is_read_from(policy::FileIdentity::of(object))) {
      deny(outcome, to.path.view(), policy::kCreate, nullptr);
      return outcome;
    }
    const bool may = from.empty() ? may_be_named(task, held_by(fd), to.path.view(), outcome)
                                  : may_be_called(task, object, from, to.path.view(), outcome);
    if (!may) return outcome;
  }
  return failed(link_descriptor(task, fd, to));
}

Step pin_at(const Task& task, const Aim& aim, const Target& target, Pin& pin, std::string& path,
            Outcome& outcome) {
  const Vetted vetted = vet(task, aim, target, pin, outcome);
  if (vetted != Vetted::kPinned) return step_without_pin(vetted, outcome);
  outcome = Outcome{};
  path = target.path.view();
  return Step::kDone;
}

Outcome link_path(const Task& task, const LinkRequest& request, const struct statx* same_as,
                  bool follow) {
  Aim aim;
  aim.wanted = policy::kStat;
  aim.follow = follow;
  aim.same_as = same_as;
  Pin pin;
  std::string path;
  Outcome outcome = reach(task, aim, [&](const Target& target, Outcome& result) {
    return pin_at(task, aim, target, pin, path, result);
  });
  if (outcome.error != 0 || outcome.would_block) return outcome;
  return link_at(task, request, pin.fd.get(), pin.stat, path);
}

Outcome link_own_descriptor(const Task& task, const LinkRequest& request) {
  Descriptor descriptor;
  if (const int error = describe(task, descriptor); error != 0) return failed(error);
  if (!descriptor.has_path()) {
    if (task.wait == Wait::kNever) return wait_needed();
    return link_at(task, request, task.place.fd, descriptor.stat, {});
  }
  const Place place = descriptor.place(task.place);
  return link_path({task.broker, task.policy, place, task.wait}, request, &descriptor.stat, false);
}

}  // namespace

Outcome link_file(const Task& task, const LinkRequest& request) {
  if ((request.flags & ~kFlags) != 0) return failed(EINVAL);
  const Place& place = task.place;
  const bool follow = (request.flags & AT_SYMLINK_FOLLOW) != 0;
  const bool own = place.base == Place::Base::kSelfFd && (follow || !is_link_to_self_fd(place));
  if (own && !follow) return failed(EXDEV);  // a link in /proc
  if (own || means_descriptor(place, request.flags)) return link_own_descriptor(task, request);
  return link_path(task, request, nullptr, follow);
}

}  // namespace torno::files
