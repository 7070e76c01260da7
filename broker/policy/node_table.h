// NodeTable: finds the nodes of a PathAutomaton by hash. Open addressing, at
// most half full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace torno::policy {

// Node 0 is the root, which is nobody's child.
using NodeId = std::uint32_t;

inline constexpr std::uint64_t kSpread =
    0x9e3779b97f4a7c15;  // 2^64 / golden ratio: odd, well spread

constexpr std::uint64_t mix(std::uint64_t value) {
  value *= kSpread;
  return value ^ (value >> 32);
}

// Keys come from the policy, never from a client, so nobody can aim at
// collisions in the table; every hit is compared byte by byte.
inline std::uint64_t hash_bytes(std::string_view bytes) noexcept {
  std::uint64_t hash = bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = mix(hash ^ word);
  }
  std::uint64_t tail = 0;
  if (left >= 4) {
    std::uint32_t low;
    std::uint32_t high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + left - 4, 4);
    tail = low | (std::uint64_t{high} << 32);
  } else {
    for (std::size_t i = 0; i < left; ++i) {
      tail = (tail << 8) | static_cast<unsigned char>(at[i]);
    }
  }
  return mix(hash ^ tail);
}

constexpr std::uint32_t literal_hash(NodeId parent, std::uint64_t name_hash) noexcept {
  return static_cast<std::uint32_t>(mix(name_hash + parent));
}

constexpr std::uint32_t glob_hash(NodeId parent, std::uint64_t prefix_hash,
                                  std::uint64_t suffix_hash) noexcept {
  // The suffix is turned round, or "a*b" and "b*a" would collide.
  return static_cast<std::uint32_t>(
      mix(prefix_hash + ((suffix_hash << 32) | (suffix_hash >> 32)) + parent));
}

class NodeTable {
 public:
  void insert(std::uint32_t hash, NodeId node);

  // The node with this hash that `is_it` accepts, else 0.
  template <typename IsIt>
  NodeId find(std::uint32_t hash, IsIt is_it) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].node != 0; at = (at + 1) & mask) {
      if (slots_[at].hash == hash && is_it(slots_[at].node)) return slots_[at].node;
    }
    return 0;
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    NodeId node = 0;
  };
  void place(Slot slot);

  std::vector<Slot> slots_ = std::vector<Slot>(16);
  std::size_t used_ = 0;
};

}  // namespace torno::policy
