// setrlimit and prlimit64: of this process alone, and RLIMIT_NOFILE never above the seal's.
#include <sys/resource.h>

#include "sandboxee/translate/open_files.h"
#include "sandboxee/translate/translate.h"
#include "sandboxee/user_memory.h"

namespace torno::translate {
namespace {

struct Limit {
  std::uint64_t soft;
  std::uint64_t hard;
};

long set_limit(Trap& trap, unsigned resource, raw::Word address) {
  Limit limit;
  if (!copy_in(&limit, address, sizeof limit)) return -EFAULT;
  if (resource == RLIMIT_NOFILE) return open_files::change(trap, limit.soft, limit.hard);
  return raw::call(__NR_prlimit64, raw::marked(0), resource, &limit, nullptr);
}

}  // namespace

long setrlimit(Trap& trap) {
  return set_limit(trap, trap.as_unsigned(0), trap.args[1]);
}

long prlimit64(Trap& trap) {
  const int process = trap.as_int(0);
  if (process != 0 && process != raw::call(__NR_getpid)) return trap.refuse(EPERM);
  Limit before{};
  if (trap.args[3] != 0) {
    const long error =
        raw::call(__NR_prlimit64, raw::marked(0), trap.as_unsigned(1), nullptr, &before);
    if (error != 0) return error;
  }
  if (trap.args[2] != 0) {
    const long error = set_limit(trap, trap.as_unsigned(1), trap.args[2]);
    if (error != 0) return error;
  }
  if (trap.args[3] != 0 && !copy_out(trap.args[3], &before, sizeof before)) return -EFAULT;
  return 0;
}

}  // namespace torno::translate
