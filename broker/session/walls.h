// Walls: what a policy asks of the kernel beside its filter, for whoever puts it up: the sandboxee
// library on the broker's word, or the launcher.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/base/error.h"
#include "proto/policy.pb.h"

namespace torno::session {

struct ResourceLimit {
  int resource;         // RLIMIT_*
  std::uint64_t value;  // soft and hard; only ever lowered to
};

// All but RLIMIT_NOFILE, whose number is limit.open_files. No core file unless one is asked for: it
// would carry what the sandboxee has read past the policy.
Result<std::vector<ResourceLimit>> resource_limits(const policy::Limit& limit);

// Is new executable memory to be refused by the kernel (MDWE) as well as by the filter?
bool wants_mdwe(const policy::PolicyFile& policy);

// Fails when the policy requires a wall that this kernel lacks. Namespaces are the launcher's.
Result<void> check_required(const policy::PolicyFile& policy);

}  // namespace torno::session
