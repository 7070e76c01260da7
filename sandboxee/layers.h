// Layers: the walls, put up one after the other by the process itself.
#pragma once

#include "sandboxee/failure.h"
#include "sandboxee/terms.h"

namespace torno::layers {

// Each is fatal when it fails: a sandbox that is silently missing is the worst outcome.
bool lower_limits(const torno_wire_Welcome& welcome, Failure& fail);
bool drop_capabilities(Failure& fail);
bool set_no_new_privs(Failure& fail);
bool refuse_new_executable_memory(Failure& fail);
bool restrict_by_landlock(int ruleset, Failure& fail);
bool load_filter(const Terms& terms, Failure& fail);

// All that terms.welcome.layers names, seccomp last.
bool put_up(const Terms& terms, Failure& fail);

}  // namespace torno::layers
