// Growth: one more channel from the broker, placed among the reserved descriptors.
#pragma once

#include <cstdint>

#include "sandboxee/pool.h"

namespace torno {

struct NewChannel {
  int fd;  // or -errno
  std::uint32_t id;
};

// Asks on the control socket. Answers are interchangeable: whoever receives one may use it, so
// that the processes of a session need not tell theirs apart.
NewChannel request_channel(int control);

// Gives `slot` a channel; 0 or -errno. One that cannot be placed among the reserved descriptors
// (a limit forbids it, another thread is placing one, or !may_keep) is for one call alone.
long grow(Slot& slot, bool may_keep);

}  // namespace torno
