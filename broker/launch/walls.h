// Walls: what is put up around a launched program, made from its policy before anything starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/filter/program.h"
#include "broker/launch/program.h"
#include "broker/launch/root.h"
#include "broker/policy/policy.h"

namespace torno::launch {

struct Walls {
  filter::Instructions filter;
  // Landlock's ruleset, under which nothing can be executed but the program and what the policy's
  // EXECUTE rules name. None where the kernel has no Landlock: then nothing is executed after the
  // program itself.
  Fd ruleset;
  bool mdwe = false;
  // CLONE_NEW*: what the policy wants, the most first. An ordinary user may have them with a user
  // namespace alone, or not at all; the first that the kernel gives is taken.
  std::vector<std::uint64_t> namespaces;
  RootPlan root;  // of a mount namespace
  std::uint64_t open_files = 0;
  std::uint64_t wall_time = 0;  // seconds; 0: no limit
};

// Does the policy require one of these namespaces (CLONE_NEW*) that are not among `given`, or have
// what needs one? Its name; null: no.
const char* missing_namespace(const policy::PolicyFile& policy, std::uint64_t given);

// Their names, as policies have them.
std::vector<std::string> namespace_names(std::uint64_t namespaces);

// Fails when the policy requires what this kernel lacks, or cannot be held.
Result<Walls> make_walls(const policy::Policy& policy, const Program& program);

}  // namespace torno::launch
