#include "broker/policy/permission.h"

#include <array>

namespace torno::policy {

std::string to_string(Permissions permissions) {
  static constexpr std::array<const char*, kPermissionCount> kNames = {
      "READ",         "WRITE", "CREATE", "EXECUTE", "STAT", "CHARACTER_DEVICE",
      "BLOCK_DEVICE", "FIFO",  "SOCKET"};
  std::string out;
  for (std::size_t bit = 0; bit < kNames.size(); ++bit) {
    if ((permissions & (1U << bit)) == 0) continue;
    if (!out.empty()) out += '|';
    out += kNames[bit];
  }
  return out.empty() ? "NONE" : out;
}

}  // namespace torno::policy
