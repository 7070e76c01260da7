// ProgramCache: a policy's program, compiled once and handed to every session.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/policy/policy.h"

namespace torno::filter {

// A sealed memfd. The descriptors sent to sessions share its offset: read with pread or mmap.
struct Sealed {
  Fd program;
  std::size_t instructions = 0;
};

// May be called from any thread.
class ProgramCache {
 public:
  Result<std::shared_ptr<const Sealed>> get(const policy::PolicyPtr& policy);

  // Programs held.
  std::size_t size() const;

 private:
  using Entries = std::map<std::weak_ptr<const policy::Policy>, std::shared_ptr<const Sealed>,
                           std::owner_less<>>;

  mutable std::mutex mutex_;
  Entries entries_;
};

}  // namespace torno::filter
