// The policy of a run: the one that was named, or the shipped `base`, and what the caller adds to
// it: the command line, or the program that embeds Torno.
#pragma once

#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/launch/program.h"
#include "broker/policy/loader.h"

namespace torno::launch {

struct RunPolicy {
  std::vector<std::string> policies;  // files or names; the rules of all count
  std::vector<std::string> profiles;
  std::vector<std::string> read;  // files, or folders with all beneath
  std::vector<std::string> write;
  std::vector<std::string> assignments;  // NAME=VALUE, for ${NAME}
  std::string text;     // of a policy, before those that are named; messages call it "<policy>"
  policy::Limit limit;  // beside the policy's: the smaller of two counts
};

// Options for the loader: the usual directories and variables, those of `assignments`, and what a
// broker with the same environment keeps for itself.
Result<policy::LoadOptions> load_options(const std::vector<std::string>& assignments);

struct RunLoaded {
  policy::PolicyPtr policy;  // null when there is an error
  std::vector<policy::Diagnostic> diagnostics;
};

// The program's own files need no rule, nor does Torno's library if one is to be preloaded: they
// are allowed READ unless a rule denies it.
RunLoaded load_run_policy(const RunPolicy& wanted, const Program& program,
                          const std::string& preload, policy::LoadOptions options);

}  // namespace torno::launch
