// Narrow: the limits of whoever starts a program, beside those of its policy.
#pragma once

#include "proto/policy.pb.h"

namespace torno::policy {

// Each of `limit` becomes that of `by` where that is smaller, or where it has none. Both hold
// quantities that are well written.
void narrow(Limit& limit, const Limit& by);

}  // namespace torno::policy
