// The compiler's steps for a kernel that the caller describes, so that tests can ask for any.
#pragma once

#include "broker/filter/program.h"
#include "broker/filter/transport.h"

namespace torno::filter {

// compile() for a kernel with this Landlock ABI.
Result<Instructions> compile_for(const policy::Policy& policy, int landlock_abi,
                                 Transport transport = Transport::kTrap);

}  // namespace torno::filter
