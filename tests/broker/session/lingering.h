// Lingering: a socket whose last close waits, as a hostile client would send one. Uninterruptible:
// the closer's signal does not end that wait, as it does not end a FUSE file's.
#pragma once

#include <vector>

#include "broker/base/fd.h"

namespace torno::session {

class Lingering {
 public:
  Lingering();

  // A new connection with data that nobody reads, and SO_LINGER of an hour.
  Fd make();

 private:
  Fd listener_;
  std::vector<Fd> silent_;  // the other ends
};

// Of a closer in this process, while it lives.
class Uninterruptible {
 public:
  Uninterruptible();
  Uninterruptible(const Uninterruptible&) = delete;
  Uninterruptible& operator=(const Uninterruptible&) = delete;
  ~Uninterruptible();
};

}  // namespace torno::session
