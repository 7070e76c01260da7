// close_range leaves the reserved descriptors alone.
#pragma once

namespace torno {

// Before the seal: the highest descriptor in use. Only those opened before the seal can lie above
// the reserved ones.
void set_highest_fd(int fd);

}  // namespace torno
