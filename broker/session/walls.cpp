#include "broker/session/walls.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <expected>
#include <string>
#include <string_view>

#include "broker/filter/landlock.h"
#include "broker/policy/quantity.h"

namespace torno::session {
namespace {

// Linux 6.3; Debian 12's headers are older.
constexpr int kPrGetMdwe = 66;

bool kernel_has_mdwe() {
  static const bool has = ::prctl(kPrGetMdwe, 0, 0, 0, 0) >= 0;
  return has;
}

}  // namespace

Result<std::vector<ResourceLimit>> resource_limits(const policy::Limit& limit) {
  using Parse = std::expected<std::uint64_t, std::string> (*)(std::string_view);
  struct Row {
    const std::string& text;
    Parse parse;
    int resource;
    bool given;
  };
  const Row rows[] = {
      {limit.memory(), policy::parse_size, RLIMIT_AS, limit.has_memory()},
      {limit.cpu_time(), policy::parse_seconds, RLIMIT_CPU, limit.has_cpu_time()},
      {limit.file_size(), policy::parse_size, RLIMIT_FSIZE, limit.has_file_size()},
      {limit.core_size(), policy::parse_size, RLIMIT_CORE, limit.has_core_size()},
  };
  std::vector<ResourceLimit> limits;
  for (const Row& row : rows) {
    if (!row.given) continue;
    const auto value = row.parse(row.text);
    if (!value) return std::unexpected(Error{"limit: " + value.error()});
    limits.push_back({row.resource, *value});
  }
  if (!limit.has_core_size()) limits.push_back({RLIMIT_CORE, 0});
  return limits;
}

bool wants_mdwe(const policy::PolicyFile& policy) {
  const auto& required = policy.require();
  const bool asked = policy.executable_mappings() == policy::MAPPINGS_DENY ||
                     std::ranges::find(required, policy::MDWE) != required.end();
  return asked && kernel_has_mdwe();
}

Result<void> check_required(const policy::PolicyFile& policy) {
  for (const int wall : policy.require()) {
    if (wall == policy::LANDLOCK && filter::landlock_abi() == 0) {
      return std::unexpected(
          Error{"the policy requires LANDLOCK, which this kernel does not have or has disabled"});
    }
    if (wall == policy::MDWE && !kernel_has_mdwe()) {
      return std::unexpected(Error{"the policy requires MDWE, which needs Linux 6.3 or later"});
    }
  }
  return {};
}

}  // namespace torno::session
