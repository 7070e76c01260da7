// rename, renameat, renameat2.
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "broker/files/call.h"
#include "broker/files/deny.h"
#include "broker/files/entry.h"
#include "broker/files/rights.h"

namespace torno::files {

namespace {

constexpr std::uint32_t kFlags = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;

int check(std::uint32_t flags) {
  const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
  const bool keeps = (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0;
  if ((flags & ~kFlags) != 0 || (exchanges && keeps)) return EINVAL;
  return (flags & RENAME_WHITEOUT) != 0 ? EPERM : 0;  // a whiteout is a device
}

Expected expected_at_target(std::uint32_t flags) {
  if ((flags & RENAME_EXCHANGE) != 0) return Expected::kPresent;
  return (flags & RENAME_NOREPLACE) != 0 ? Expected::kMissing : Expected::kEither;
}

// Nothing of the broker's own is moved or replaced, and nothing gains a permission.
bool may_move(const Task& task, const Entry& from, const Entry& to, Outcome& outcome) {
  Pin object;
  if (const int error = look_at(from, object); error != 0) {
    outcome = failed(error);
    return false;
  }
  return may_be_called(task, object.stat, from.path.view(), to.path.view(), outcome);
}

bool may_rename(const Task& task, const Entry& from, const Entry& to, std::uint32_t flags,
                Outcome& outcome) {
  if (is_kept(task, from, outcome) || is_kept(task, to, outcome)) return false;
  if (!may_move(task, from, to, outcome)) return false;
  return (flags & RENAME_EXCHANGE) == 0 || may_move(task, to, from, outcome);
}

}  // namespace

Outcome rename_entry(const Task& task, const RenameRequest& request) {
  if (const int error = check(request.flags); error != 0) return failed(error);
  Outcome outcome;
  Entry from;
  if (!find_entry(task, Expected::kPresent, from, outcome)) return outcome;
  const Task at_target{task.broker, task.policy, request.to, task.wait};
  Entry to;
  if (!find_entry(at_target, expected_at_target(request.flags), to, outcome)) {
    // That there is nothing to rename comes before the target is refused.
    Pin pin;
    const bool missing = outcome.denial && from.ordinary && task.wait == Wait::kMayBlock &&
                         look_at(from, pin) == ENOENT;
    if (outcome.denial && task.wait == Wait::kNever) return wait_needed();
    return missing ? failed(ENOENT) : std::move(outcome);
  }
  if (task.wait == Wait::kNever) return wait_needed();

  const auto turn = task.broker.rename_turns->take(from.directory.stat);
  const bool ordinary = from.ordinary && to.ordinary;  // else the kernel refuses
  if (ordinary && !may_rename(task, from, to, request.flags, outcome)) return outcome;
  const long result = ::syscall(SYS_renameat2, from.directory.fd.get(), from.name.c_str(),
                                to.directory.fd.get(), to.name.c_str(), request.flags);
  return failed(result == 0 ? 0 : errno);
}

}  // namespace torno::files
