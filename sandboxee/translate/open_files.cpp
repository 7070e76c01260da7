#include "sandboxee/translate/open_files.h"

#include <sys/resource.h>

#include <atomic>

#include "sandboxee/limits.h"

namespace torno::open_files {
namespace {

std::atomic<std::uint64_t> soft_limit;
std::atomic<std::uint64_t> hard_limit;

long set(std::uint64_t soft, std::uint64_t hard) {
  const std::uint64_t limit[2] = {soft, hard};
  return raw::call(__NR_prlimit64, raw::marked(0), RLIMIT_NOFILE, limit, nullptr);
}

}  // namespace

void remember(std::uint64_t soft, std::uint64_t hard) {
  soft_limit.store(soft);
  hard_limit.store(hard);
}

void raise() {
  set(hard_limit.load(), hard_limit.load());
}

void restore() {
  // A thread that lowers the limit meanwhile says so before it does: look again afterwards.
  std::uint64_t soft;
  do {
    soft = soft_limit.load();
    set(soft, hard_limit.load());
  } while (soft_limit.load() != soft);
}

long change(Trap& trap, std::uint64_t soft, std::uint64_t hard) {
  if (soft > hard) return -EINVAL;
  if (hard > hard_limit.load()) return trap.refuse(EPERM);
  // A program may ask for all that the hard limit seems to give; the reserved ones it never gets.
  if (soft > static_cast<std::uint64_t>(kFirstChannelFd)) soft = kFirstChannelFd;
  if (!trap.may_remember()) return set(soft, hard);
  soft_limit.store(soft);
  hard_limit.store(hard);
  return set(soft, hard);
}

}  // namespace torno::open_files
