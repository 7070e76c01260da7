#include "broker/files/entry.h"

#include <cerrno>

#include "broker/files/deny.h"
#include "broker/files/reach.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

// A path as the kernel takes it apart for these calls.
struct Parted {
  std::string directory;  // ends in a slash, or is "."
  std::string name;       // the last component and the slashes behind it; "/" for the root
  bool ordinary = true;
};

Parted part(std::string_view path) {
  const std::size_t last = path.find_last_not_of('/');
  if (last == path.npos) return {"/", "/", false};
  const std::size_t slash = path.rfind('/', last);
  Parted parted;
  parted.directory = slash == path.npos ? "." : path.substr(0, slash + 1);
  parted.name = slash == path.npos ? path : path.substr(slash + 1);
  const std::string_view bare = std::string_view(parted.name).substr(0, parted.name.find('/'));
  parted.ordinary = bare != "." && bare != "..";
  return parted;
}

bool fail(Outcome& outcome, int error) {
  outcome = failed(error);
  return false;
}

bool refuse(const Task& task, const CanonicalPath& path, Outcome& outcome) {
  const policy::Verdict verdict = task.policy.decide_file(path.view(), policy::kCreate);
  deny(outcome, path.view(), policy::kCreate, verdict.allowed ? nullptr : verdict.rule);
  return false;
}

Step pin_directory(const Task& task, const Aim& aim, const Target& target, Entry& entry,
                   Outcome& outcome) {
  const Vetted vetted = vet(task, aim, target, entry.directory, outcome);
  if (vetted != Vetted::kPinned) return step_without_pin(vetted, outcome);
  entry.path = target.path;
  outcome = Outcome{};
  return Step::kDone;
}

// Pins the directory that `path`, which stands where the task's own does, leads to.
bool find_directory(const Task& task, const Parted& parted, Entry& entry, Outcome& outcome) {
  Place place = task.place;
  place.path = parted.directory;
  if (place.path.front() == '/') place.base = Place::Base::kAbsolute;
  const Task its{task.broker, task.policy, place, task.wait};
  Aim aim;
  aim.wanted = policy::kStat;
  aim.leads_suffice = true;
  outcome = reach(its, aim, [&](const Target& target, Outcome& result) {
    return pin_directory(its, aim, target, entry, result);
  });
  if (outcome.denial) {
    // What is refused is the call, on the entry.
    Denial& denial = *outcome.denial;
    if (!denial.path.ends_with('/')) denial.path += '/';
    denial.path += entry.bare_name();
    denial.wanted = policy::kCreate;
  }
  return outcome.error == 0 && !outcome.would_block;
}

// What a stat of the entry would show, which the policy lets be seen: fills the outcome with the
// kernel's errno for what is not as the call expects it.
void answer_as_seen(const Task& task, Expected expected, const Entry& entry, Outcome& outcome) {
  if (expected == Expected::kEither || !is_visible(task, entry.path.view())) return;
  Aim aim;
  aim.wanted = policy::kStat;
  aim.leads_suffice = true;
  aim.follow = false;
  Target target;
  target.path = entry.path;
  Pin pin;
  Outcome seen;
  switch (vet(task, aim, target, pin, seen)) {
    case Vetted::kPinned:
      if (expected == Expected::kMissing) outcome = failed(EEXIST);
      return;
    case Vetted::kMissing:
      if (expected == Expected::kPresent) outcome = failed(ENOENT);
      return;
    case Vetted::kFailed:
      outcome = std::move(seen);
      return;
    case Vetted::kWaitNeeded:
      outcome = wait_needed();
      return;
    case Vetted::kDenied:
    case Vetted::kChanged:
      return;
  }
}

}  // namespace

std::string_view Entry::bare_name() const {
  const std::string_view text = name;
  return text.substr(0, text.find('/'));
}

bool find_entry(const Task& task, Expected expected, Entry& entry, Outcome& outcome) {
  const std::string_view path = task.place.path;
  if (path.empty()) return fail(outcome, ENOENT);
  if (path.size() >= PATH_MAX) return fail(outcome, ENAMETOOLONG);
  if (path.find('\0') != path.npos) return fail(outcome, EINVAL);
  Parted parted = part(path);
  entry.name = parted.name;
  entry.ordinary = parted.ordinary;
  if (!find_directory(task, parted, entry, outcome)) return false;
  if (!entry.ordinary) return true;

  if (!entry.path.push(entry.bare_name())) return fail(outcome, ENAMETOOLONG);
  const bool allowed = task.policy.decide_file(entry.path.view(), policy::kCreate).allowed &&
                       !is_off_limits(task, entry.path.view(), policy::kCreate);
  if (allowed) return true;
  refuse(task, entry.path, outcome);
  answer_as_seen(task, expected, entry, outcome);
  return false;
}

int look_at(const Entry& entry, Pin& pin) {
  auto fd = openat2(entry.directory.fd.get(), std::string(entry.bare_name()).c_str(),
                    O_PATH | O_NOFOLLOW, 0, kNoLinks);
  if (!fd) return fd.error();
  pin.fd = std::move(*fd);
  return identify(pin.fd.get(), pin.stat);
}

bool is_kept(const Task& task, const Entry& entry, Outcome& outcome) {
  if (is_kept_name(task, entry, outcome)) return true;
  Pin pin;
  const int error = look_at(entry, pin);
  if (error == ENOENT || error == ENAMETOOLONG) return false;
  // What cannot be looked at is not known to be another one's either.
  const bool kept = error != 0 || task.broker.own.is(pin.stat) ||
                    task.broker.own.leads_by(pin.stat) ||
                    task.policy.is_read_from(policy::FileIdentity::of(pin.stat));
  if (kept) refuse(task, entry.path, outcome);
  return kept;
}

bool is_kept_name(const Task& task, const Entry& entry, Outcome& outcome) {
  if (!task.broker.own.leads_through(entry.path.view())) return false;
  refuse(task, entry.path, outcome);
  return true;
}

}  // namespace torno::files
