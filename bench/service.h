// Service: a tornod of one's own in a temporary directory.
#pragma once

#include <sys/types.h>

#include <string>

#include "bench/names.h"

namespace torno::bench {

class Service {
 public:
  // Starts the tornod beside this program and waits until it answers; exits with a message when
  // it does not.
  Service(const std::string& directory, Placement placement);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  // Seals the calling process under the policy "bench"; exits with a message on failure.
  void enter() const;

 private:
  std::string socket_;
  pid_t pid_ = -1;
};

}  // namespace torno::bench
