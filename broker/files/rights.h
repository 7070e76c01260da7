// Rights cannot be moved: what stands at a name may be given another one only where that one allows
// nothing that the first did not.
#pragma once

#include "broker/files/task.h"

namespace torno::files {

// May what `object` is be reached at `to` as well as, or instead of, at `from`? Fills the outcome
// with EXDEV, as if the names were on two file systems, and a denial: programs then copy.
bool may_be_called(const Task& task, const struct statx& object, std::string_view from,
                   std::string_view to, Outcome& outcome);

// The same of something that has no name yet, of which `held` may be had.
bool may_be_named(const Task& task, policy::Permissions held, std::string_view to,
                  Outcome& outcome);

}  // namespace torno::files
