// What a brokered call does when the broker is gone.
#pragma once

namespace torno {

// Whether the process then ends (Welcome.broker_gone); set before the seal.
void set_die_with_broker(bool die);

// The result for a failed exchange with the broker: -EIO when `result` says that it is gone (end
// of file, or a reset), else `result`. Ends the process where the policy says so.
long broker_error(long result);

}  // namespace torno
