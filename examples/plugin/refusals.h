// Naming each refused call on standard error.
#pragma once

namespace torno::examples {

// From now on every refused call is one line: "torno-plugin-host: refused unlink: EACCES".
void name_refusals();

}  // namespace torno::examples
