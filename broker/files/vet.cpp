#include "broker/files/vet.h"

#include <cerrno>

#include "broker/files/deny.h"
#include "broker/files/procfs.h"

namespace torno::files {

namespace {

// O_TMPFILE makes something without a name beneath the directory: a policy sees it by this one.
constexpr std::string_view kNameless = "#tmpfile";

Vetted failed_to_open(const Task& task, int error, Outcome& outcome) {
  if (error == ELOOP) return Vetted::kChanged;
  if (error == EAGAIN && task.wait == Wait::kNever) return Vetted::kWaitNeeded;
  outcome = failed(error);
  return error == ENOENT ? Vetted::kMissing : Vetted::kFailed;
}

// Is the object one that no policy hands out for that?
bool is_refused(const Task& task, const Aim& aim, const CanonicalPath& path, const Pin& pin) {
  if (task.broker.own.is(pin.stat)) return true;
  const bool writes = (aim.wanted & policy::kWrite) != 0;
  if (writes && task.policy.is_read_from(policy::FileIdentity::of(pin.stat))) return true;
  // Another mount of procfs: the tables know nothing of it.
  return !procfs::covers(path.view()) && is_procfs(pin.fd.get(), pin.stat);
}

// For open_known(). Nothing of /proc, where the same path is another object for every client.
void remember(const Task& task, const Aim& aim, const CanonicalPath& path, const Pin& pin) {
  const auto object = KnownObjects::identity_of(pin.stat);
  if (!object || aim.children || !task.broker.local.contains(pin.stat.stx_mnt_id)) return;
  const bool writes = (aim.wanted & policy::kWrite) != 0;
  if (writes && !task.broker.local.writes_at_once(pin.stat.stx_mnt_id)) return;
  const bool on_root_mount = pin.stat.stx_mnt_id == task.broker.root_mount;
  task.broker.known->remember(path.view(),
                              {*object, on_root_mount, task.policy.serial(), aim.wanted});
}

}  // namespace

policy::Verdict verdict_on(const Task& task, const Aim& aim, const CanonicalPath& path,
                           policy::Permissions wanted) {
  if (!aim.children) return task.policy.decide_file(path.view(), wanted);
  CanonicalPath child = path;
  if (!child.push(kNameless)) return {};
  return task.policy.decide_file(child.view(), wanted);
}

bool is_off_limits(const Task& task, std::string_view path, policy::Permissions wanted) {
  return task.broker.own.covers(path) || (procfs::covers(path) && !procfs::permits(path, wanted));
}

bool is_visible(const Task& task, std::string_view path) {
  if (is_off_limits(task, path, policy::kStat)) return false;
  const policy::Verdict verdict = task.policy.decide_file(path, policy::kStat);
  return verdict.allowed || verdict.leads;
}

Vetted vet(const Task& task, const Aim& aim, const Target& target, Pin& pin, Outcome& outcome) {
  const CanonicalPath& path = target.path;
  policy::Verdict verdict;
  bool leads_only = false;
  if (aim.wanted != policy::kNone) {
    verdict = verdict_on(task, aim, path, aim.wanted);
    leads_only = !verdict.allowed && verdict.leads && aim.leads_suffice;
    if (!verdict.allowed && !leads_only) {
      deny(outcome, path.view(), aim.wanted, verdict.rule);
      return Vetted::kDenied;
    }
  }
  const bool in_proc = procfs::covers(path.view());
  procfs::KernelPlace proc;
  if (is_off_limits(task, path.view(), aim.wanted) ||
      (in_proc && !proc.find(path, task.place, task.broker.mounts))) {
    deny(outcome, path.view(), aim.wanted, nullptr);
    return Vetted::kDenied;
  }

  const std::uint64_t flags = O_PATH | (aim.follow || target.directory ? 0 : O_NOFOLLOW) |
                              (target.directory ? O_DIRECTORY : 0);
  const Mounts::Start start = in_proc ? proc.start() : task.broker.mounts.start_of(path.view());
  auto fd = openat2(start.directory, start.path, flags, 0, kNoLinks | task.cached());
  if (!fd) return failed_to_open(task, fd.error(), outcome);
  pin.fd = std::move(*fd);

  const unsigned synchronise = task.wait == Wait::kNever ? AT_STATX_DONT_SYNC : aim.stat_flags;
  const int error = statx_fd(pin.fd.get(), synchronise, kIdentityMask | aim.stat_mask, pin.stat);
  if (error != 0) {
    outcome = failed(error);
    return Vetted::kFailed;
  }
  if (!task.may_wait_for(pin.stat)) return Vetted::kWaitNeeded;

  const bool shown = !leads_only || pin.is(S_IFDIR) || pin.is(S_IFLNK);
  if (!shown || is_refused(task, aim, path, pin)) {
    deny(outcome, path.view(), aim.wanted, verdict.rule);
    return Vetted::kDenied;
  }
  if (aim.same_as != nullptr && !same_object(*aim.same_as, pin.stat)) {
    outcome = failed(EACCES);
    return Vetted::kFailed;
  }
  if (verdict.allowed && !in_proc) remember(task, aim, path, pin);
  return Vetted::kPinned;
}

Step step_without_pin(Vetted vetted, Outcome& outcome) {
  switch (vetted) {
    case Vetted::kChanged:
      return Step::kChanged;
    case Vetted::kFailed:
    case Vetted::kMissing:
      return Step::kDone;
    case Vetted::kWaitNeeded:
      outcome = wait_needed();
      return Step::kDone;
    case Vetted::kDenied:
    case Vetted::kPinned:
      break;
  }
  return Step::kDenied;
}

}  // namespace torno::files
