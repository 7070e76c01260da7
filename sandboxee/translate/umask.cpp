#include "sandboxee/translate/umask.h"

#include <atomic>

#include "sandboxee/translate/translate.h"

namespace torno {
namespace {
std::atomic<unsigned> current;
constexpr unsigned kPermissionBits = 0777;
}  // namespace

namespace umask_cache {
void remember(unsigned mask) {
  current.store(mask);
}
unsigned get() {
  return current.load(std::memory_order_relaxed);
}
}  // namespace umask_cache

namespace translate {

long umask(Trap& trap) {
  const unsigned mask = trap.as_unsigned(0) & kPermissionBits;
  const long before = raw::call(__NR_umask, raw::marked(mask));
  if (trap.may_remember()) current.store(mask);
  return before;
}

}  // namespace translate
}  // namespace torno
