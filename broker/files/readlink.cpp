// readlink, readlinkat.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "broker/files/call.h"
#include "broker/files/reach.h"
#include "broker/files/self_fd.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

Outcome read_pinned(const Pin& pin) {
  if (!pin.is(S_IFLNK)) return failed(EINVAL);
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlinkat(pin.fd.get(), "", text.data(), text.size());
  if (size < 0) return failed(errno);
  Outcome outcome;
  outcome.target.assign(text.data(), static_cast<std::size_t>(size));
  return outcome;
}

// A symlink that the client holds an O_PATH descriptor of.
Outcome read_descriptor(const Task& task) {
  Pin pin;
  pin.fd = Fd(::fcntl(task.place.fd, F_DUPFD_CLOEXEC, 0));
  if (!pin.fd) return failed(errno);
  if (const int error = identify(pin.fd.get(), pin.stat); error != 0) return failed(error);
  if (!pin.is(S_IFLNK)) return failed(ENOENT);
  if (!task.may_wait_for(pin.stat)) return wait_needed();
  // /proc/PID/exe and the like ask for the reader's rights: the client may hold one that only the
  // broker can read.
  if (is_procfs(pin.fd.get(), pin.stat)) return failed(EACCES);
  return read_pinned(pin);
}

Step read_at(const Task& task, const Aim& aim, const Target& target, Outcome& outcome) {
  Pin pin;
  const Vetted vetted = vet(task, aim, target, pin, outcome);
  if (vetted != Vetted::kPinned) return step_without_pin(vetted, outcome);
  outcome = read_pinned(pin);
  return Step::kDone;
}

Outcome read_target(const Task& task) {
  const Place& place = task.place;
  if (place.base == Place::Base::kFd && place.path.empty()) return read_descriptor(task);
  if (place.base == Place::Base::kSelfFd && !is_link_to_self_fd(place)) {
    return read_self_fd_link(task);
  }
  Aim aim;
  aim.wanted = policy::kStat;
  aim.leads_suffice = true;
  aim.follow = false;
  return reach(task, aim, [&](const Target& target, Outcome& outcome) {
    return read_at(task, aim, target, outcome);
  });
}

}  // namespace

Outcome read_link(const Task& task, const ReadlinkRequest& request) {
  if (request.size == 0 || request.size > INT_MAX) return failed(EINVAL);
  Outcome outcome = read_target(task);
  outcome.target.resize(std::min<std::size_t>(outcome.target.size(), request.size));
  return outcome;
}

}  // namespace torno::files
