#include "broker/files/rights.h"

#include <cerrno>

#include "broker/files/deny.h"

namespace torno::files {

namespace {

constexpr policy::Permissions kTypes =
    policy::kCharacterDevice | policy::kBlockDevice | policy::kFifo | policy::kSocket;

bool is_special(const struct statx& object) {
  const mode_t type = object.stx_mode & S_IFMT;
  return type != S_IFREG && type != S_IFDIR && type != S_IFLNK;
}

bool refuse(std::string_view to, policy::Permissions gained, Outcome& outcome) {
  deny(outcome, to, gained, nullptr);
  outcome.error = EXDEV;
  return false;
}

}  // namespace

bool may_be_called(const Task& task, const struct statx& object, std::string_view from,
                   std::string_view to, Outcome& outcome) {
  const policy::Permissions held = task.policy.permissions(from);
  const auto counts =
      static_cast<policy::Permissions>(is_special(object) ? ~policy::kNone : ~kTypes);
  const auto gained = static_cast<policy::Permissions>(task.policy.permissions(to) & ~held);
  if ((gained & counts) != 0) return refuse(to, gained & counts, outcome);
  const bool is_directory = (object.stx_mode & S_IFMT) == S_IFDIR;
  // The place, rather than what is in it now: that it is empty may be over before it is moved.
  if (!is_directory || task.policy.same_beneath(from, to)) return true;
  return refuse(to, policy::kCreate, outcome);
}

bool may_be_named(const Task& task, policy::Permissions held, std::string_view to,
                  Outcome& outcome) {
  const auto gained = static_cast<policy::Permissions>(task.policy.permissions(to) & ~held);
  return (gained & ~kTypes) == 0 || refuse(to, gained & ~kTypes, outcome);
}

}  // namespace torno::files
