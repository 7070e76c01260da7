// Policies as the command line names them: shared by every command that reads one.
#pragma once

#include <string>
#include <vector>

#include "broker/launch/run_policy.h"
#include "broker/policy/loader.h"

namespace torno::cli {

using launch::load_options;

// Loads a policy by the word the user gave: a file where there is one, else a name.
policy::Loaded load_policy(const std::string& word, const policy::LoadOptions& options);

// Prints them all; true when none is an error.
bool report(const std::vector<policy::Diagnostic>& diagnostics);

}  // namespace torno::cli
