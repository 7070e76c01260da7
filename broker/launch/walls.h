// Walls: what is put up around a launched program, made from its policy before anything starts.
#pragma once

#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/filter/program.h"
#include "broker/launch/program.h"
#include "broker/policy/policy.h"
#include "broker/session/walls.h"

namespace torno::launch {

struct Walls {
  filter::Instructions filter;
  // Landlock's ruleset, under which nothing can be executed but the program and what the policy's
  // EXECUTE rules name. None where the kernel has no Landlock: then nothing is executed after the
  // program itself.
  Fd ruleset;
  bool mdwe = false;
  std::vector<session::ResourceLimit> limits;
};

// Fails when the policy requires what this kernel lacks, or cannot be held.
Result<Walls> make_walls(const policy::Policy& policy, const Program& program);

}  // namespace torno::launch
