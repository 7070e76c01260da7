#include "broker/notify/numbers.h"

#include "broker/notify/target.h"

namespace torno::notify {
namespace {

constexpr std::chrono::seconds kKept{1};
constexpr std::size_t kMostKept = 1024;

}  // namespace

pid_t Numbers::of(pid_t process) {
  if (!proc_ || process <= 0) return process;
  const auto now = Clock::now();
  const auto found = known_.find(process);
  if (found != known_.end() && now < found->second.until) return found->second.number;
  if (known_.size() >= kMostKept) known_.clear();
  const pid_t number = Target(process).number_inside();
  known_.insert_or_assign(process, Known{number, now + kKept});
  return number;
}

}  // namespace torno::notify
