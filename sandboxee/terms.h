// Terms: what the broker laid down for this process: the filter, a ruleset, limits.
#pragma once

#include <linux/filter.h>

#include <cstddef>

#include "proto/wire.pb.h"
#include "sandboxee/failure.h"
#include "sandboxee/fd.h"
#include "sandboxee/limits.h"
#include "sandboxee/receive.h"

namespace torno {

struct Terms {
  torno_wire_Welcome welcome;
  Fd ruleset;  // with LAYER_LANDLOCK
  std::size_t instruction_count;
  sock_filter instructions[kMaxInstructions];
};

// Takes over what came beside terms.welcome and reads the program; closes what it does not keep.
bool read_terms(Received& received, Terms& terms, Failure& fail);

// Room for one that is too large for a stack; null when there is no memory.
Terms* new_terms();
void delete_terms(Terms* terms);

}  // namespace torno
