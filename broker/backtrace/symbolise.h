// Symbolise: a snapshot to lines with names. The mapped files, their debugging information above
// all, are the program's, and libdw reads them: so a process of its own does it, torno-backtrace,
// which has put itself under PURE_COMPUTATION before it looks at any of them.
#pragma once

#include <string>
#include <vector>

#include "broker/backtrace/snapshot.h"

namespace torno::backtrace {

// Printable ASCII, a frame a line: "#0 0x... in function+0x1f (file.c:12) /path/module". Where
// there is none, one line says why.
std::vector<std::string> symbolise(const Snapshot& snapshot);

}  // namespace torno::backtrace
