#include <algorithm>
#include <utility>

#include "broker/audit/audit.h"

namespace torno::audit {

bool RateLimit::admit(std::int64_t now_ns) {
  static constexpr std::int64_t kInterval = 1'000'000'000 / kPerSecond;
  if (refilled_ns_ == 0) refilled_ns_ = now_ns;
  const std::int64_t earned = (now_ns - refilled_ns_) / kInterval;
  if (earned > 0) {
    tokens_ = static_cast<std::uint32_t>(std::min<std::int64_t>(tokens_ + earned, kBurst));
    refilled_ns_ += earned * kInterval;
  }
  if (tokens_ == 0) {
    ++suppressed_;
    return false;
  }
  --tokens_;
  return true;
}

std::uint64_t RateLimit::take_suppressed() {
  return std::exchange(suppressed_, 0);
}

}  // namespace torno::audit
