// Policies as the command line names them: shared by every command that reads one.
#pragma once

#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/policy/loader.h"

namespace torno::cli {

// Options for the loader: the usual directories and variables, those of `--set NAME=VALUE`, and
// what a broker with the same environment keeps for itself.
Result<policy::LoadOptions> load_options(const std::vector<std::string>& assignments);

// Loads a policy by the word the user gave: a file where there is one, else a name.
policy::Loaded load_policy(const std::string& word, const policy::LoadOptions& options);

// Prints them all; true when none is an error.
bool report(const std::vector<policy::Diagnostic>& diagnostics);

}  // namespace torno::cli
