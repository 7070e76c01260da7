// Sender: the process that a message came from, beyond its number. The kernel gives the number to
// another process as soon as this one is dead and waited for; a request that took long must not
// then be performed on, and answered about, that other one (/proc/self is the sender's).
#pragma once

#include <sys/types.h>

#include "broker/base/fd.h"

namespace torno::session {

class Sender {
 public:
  // Right after the message came. One of another pid namespace has no number (0): then nothing is
  // performed by its number, and it counts as alive.
  explicit Sender(pid_t pid);

  // While this says no, the number has been this process's ever since.
  bool is_gone() const;

 private:
  pid_t pid_;
  Fd process_;
};

}  // namespace torno::session
