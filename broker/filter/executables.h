// Executables: where a policy's EXECUTE rules let programs be executed, as Landlock can hold it:
// single files, and directories with all beneath them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/policy/loader.h"
#include "broker/policy/policy.h"

namespace torno::filter {

struct ExecutablePlace {
  std::string path;   // canonical
  bool tree = false;  // everything beneath the directory, else the file

  bool operator==(const ExecutablePlace&) const = default;
};

struct Executables {
  std::vector<ExecutablePlace> places;
  std::vector<policy::Diagnostic> errors;  // in the policy's order
};

// Is there a rule that allows EXECUTE?
bool allows_execution(const policy::Policy& policy);

// Looks at the files there are now: what appears later where a glob without "**" would match it is
// not executed, nor is what does not exist. The loader has refused EXECUTE denied beneath what is
// allowed. The broker's own places beneath a tree are denied by the broker alone: what lies there,
// policies and sockets, is no program.
Executables executables(const policy::Policy& policy);

// Adds the places to a ruleset. They are opened one by one: a process may have fewer descriptors
// than there are programs in one folder. One that is gone by now, or no longer what it was, is
// left out.
Result<void> allow_executables(int ruleset, std::span<const ExecutablePlace> places);

}  // namespace torno::filter
