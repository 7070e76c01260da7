// The policy of a run: the one that was named, or the shipped `base`, and what the command line
// adds to it.
#pragma once

#include <string>
#include <vector>

#include "broker/launch/program.h"
#include "broker/policy/loader.h"

namespace torno::cli {

struct RunPolicy {
  std::vector<std::string> policies;  // files or names; the rules of all count
  std::vector<std::string> profiles;
  std::vector<std::string> read;  // files, or folders with all beneath
  std::vector<std::string> write;
  std::vector<std::string> assignments;  // NAME=VALUE, for ${NAME}
};

// Null after an error, which it has printed. The program's own files need no rule, nor does Torno's
// library if one is to be preloaded: they are allowed READ unless a rule denies it.
policy::PolicyPtr load_run_policy(const RunPolicy& wanted, const launch::Program& program,
                                  const std::string& preload, policy::LoadOptions& options);

}  // namespace torno::cli
