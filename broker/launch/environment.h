// Environment: what a launched program gets of its caller's environment, and of the command line.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "broker/base/error.h"
#include "proto/policy.pb.h"

namespace torno::launch {

// `caller` is the caller's environment, `options` are the values of --env:
//   - without `environment` in the policy the caller's variables stay, but for those with which
//   libc
//     and its loader open files or load code (below);
//   - with it only those stay that it names. To keep one of the former it has to name it in full,
//   or
//     as LD_*: `*` or `L*` does not mean them;
//   - NAME=VALUE adds a variable or replaces it, NAME keeps the caller's; both go before the
//   policy.
//     Of several for one name the last counts;
//   - TORNO_* never stays, and as an option is an error: it would lead to another broker.
// Of a variable that the caller has twice the first counts, as it does for getenv(3).
Result<std::vector<std::string>> make_environment(const policy::PolicyFile& policy,
                                                  std::span<const std::string> caller,
                                                  std::span<const std::string> options);

}  // namespace torno::launch
