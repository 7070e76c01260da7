// Lingering: a socket whose last close waits, as a hostile client would send one.
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

}  // namespace torno::session
