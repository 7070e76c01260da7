// The attribute of landlock_create_ruleset(2), laid out here because the reference system's
// header ends at ABI 3 and an older kernel refuses a newer structure with anything in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torno::filter {

struct LandlockAttributes {
  std::uint64_t filesystem = 0;  // handled_access_fs, ABI 1
  std::uint64_t network = 0;     // handled_access_net, ABI 4
  std::uint64_t scoped = 0;      // ABI 6
};

// Every right that this ABI (1 or above) knows.
LandlockAttributes landlock_attributes(int abi);

// How much of the structure a kernel of this ABI takes, bytes.
std::size_t landlock_attributes_size(int abi);

}  // namespace torno::filter
