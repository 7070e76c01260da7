// Compile: a Draft becomes a Policy, once its rules are seen to make sense together.
#pragma once

#include "broker/policy/draft.h"
#include "broker/policy/source_file.h"

namespace torno::policy {

// Null when `report` has errors. `main_file` is the file that was asked for: what the files it
// includes say twice among each other is no concern of its author.
PolicyPtr compile(Draft draft, const std::string& main_file, Report& report);

}  // namespace torno::policy
