// KilledCalls: which calls a policy kills for, told from the registers of a call: for the
// supervisor of the notify transport, to which such a call comes so that it can be named
// (stays_native() apart).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "broker/filter/comparison.h"
#include "broker/policy/policy.h"

namespace torno::filter {

class KilledCalls {
 public:
  // `policy` is one that compile() takes.
  explicit KilledCalls(const policy::Policy& policy);

  // `number` of the native architecture, as the program sees it: what is compared are the
  // registers, which nobody changes while the call waits.
  bool contains(int number, const std::array<std::uint64_t, 6>& arguments) const;

 private:
  std::map<int, std::vector<std::vector<Comparison>>> rules_;  // all of one must hold
  bool unknown_ = false;
  std::set<int> known_;  // filled where that matters
};

// The kernel itself kills for this call: with it the program's process hands over the listener, and
// would wait for ever if it came there.
bool stays_native(std::string_view call);

}  // namespace torno::filter
