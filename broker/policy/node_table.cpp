#include "broker/policy/node_table.h"

#include <utility>

namespace torno::policy {
void NodeTable::place(Slot slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = slot.hash & mask;
  while (slots_[at].node != 0) at = (at + 1) & mask;
  slots_[at] = slot;
}

void NodeTable::insert(std::uint32_t hash, NodeId node) {
  if (++used_ * 2 > slots_.size()) {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (const Slot& slot : old) {
      if (slot.node != 0) place(slot);
    }
  }
  place({hash, node});
}

}  // namespace torno::policy
