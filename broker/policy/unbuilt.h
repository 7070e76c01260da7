// Unbuilt: fields that policy.proto has and this version does not act on. A policy that names
// one is refused: a rule that is silently ignored is worse than none.
#pragma once

#include "broker/policy/source_file.h"

namespace torno::policy {

void check_unbuilt(const Located& root, Report& report);

}  // namespace torno::policy
