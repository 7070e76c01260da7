#include "sandboxee/pool.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandboxee/growth.h"
#include "sandboxee/translate/open_files.h"

namespace torno {
namespace {

constexpr int kSlots = kLastChannelFd - kFirstChannelFd + 1;  // one a reserved descriptor
constexpr int kAdopting = -1;

struct Pool {
  std::atomic<int> owner;          // process id; 0: a new process that nobody has looked after
  std::atomic<int> owners_parent;  // when the owner adopted the pool
  std::atomic<bool> growing;
  std::atomic<int> threads_in_callback[pool::kMaxThreadsInCallback];
  Slot slots[kSlots];
};

Pool* the_pool = nullptr;

void* map(std::size_t size) {
  const long address = raw::call(__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return raw::failed(address) ? nullptr : reinterpret_cast<void*>(address);
}

bool take(Slot& slot) {
  return !slot.busy.load(std::memory_order_relaxed) &&
         !slot.busy.exchange(true, std::memory_order_acquire);
}

Slot* take_free_slot() {
  for (Slot& slot : the_pool->slots) {
    if (take(slot)) return &slot;
  }
  return nullptr;
}

}  // namespace

SlotLease::SlotLease(const Trap& trap) {
  if (trap.role == ProcessRole::kOwner) slot_ = take_free_slot();
  in_pool_ = slot_ != nullptr;
  if (!in_pool_) {
    slot_ = static_cast<Slot*>(map(sizeof(Slot)));
    if (slot_ == nullptr) {
      error_ = -ENOMEM;
      return;
    }
  }
  const int self = the_pool->owner.load(std::memory_order_relaxed);
  if (in_pool_ && slot_->process != self) {
    slot_->process = self;
    slot_->fd = 0;
    slot_->one_shot = false;
  }
  if (slot_->fd == 0) error_ = grow(*slot_, in_pool_);
}

SlotLease::~SlotLease() {
  if (slot_ == nullptr) return;
  if (slot_->one_shot) pool::drop_channel(*slot_);
  if (in_pool_) {
    slot_->busy.store(false, std::memory_order_release);
  } else {
    raw::call(__NR_munmap, slot_, sizeof(Slot));
  }
}

namespace pool {

bool create(int fd, std::uint32_t channel) {
  the_pool = static_cast<Pool*>(map(sizeof(Pool)));
  if (the_pool == nullptr) return false;
  if (madvise(the_pool, sizeof(Pool), MADV_WIPEONFORK) != 0) {
    destroy();
    return false;
  }
  the_pool->owner.store(getpid(), std::memory_order_relaxed);
  the_pool->slots[0].process = getpid();
  the_pool->slots[0].fd = fd;
  the_pool->slots[0].channel = channel;
  return true;
}

void destroy() {
  if (the_pool != nullptr) munmap(the_pool, sizeof(Pool));
  the_pool = nullptr;
}

ProcessRole adopt_process() {
  const int self = static_cast<int>(raw::call(__NR_getpid));
  int owner = the_pool->owner.load(std::memory_order_acquire);
  if (owner == self) return ProcessRole::kOwner;
  if (owner == kAdopting) return ProcessRole::kNewcomer;
  // Fork leaves 0, so whoever else is the owner shares this memory, or did. A child of this
  // process, by vfork, may have come first after fork and called itself the owner; one that is no
  // more, of whatever depth, is nobody's parent. Else this process is the child.
  if (owner != 0 && the_pool->owners_parent.load(std::memory_order_relaxed) != self &&
      raw::call(__NR_getpgid, owner) != -ESRCH) {
    return ProcessRole::kVforkChild;
  }
  if (!the_pool->owner.compare_exchange_strong(owner, kAdopting)) return ProcessRole::kNewcomer;
  the_pool->owners_parent.store(static_cast<int>(raw::call(__NR_getppid)),
                                std::memory_order_relaxed);
  raw::call(__NR_close_range, raw::marked(kFirstChannelFd), kLastChannelFd, 0);
  open_files::restore();
  the_pool->owner.store(self, std::memory_order_release);
  return ProcessRole::kOwner;
}

void drop_channel(Slot& slot) {
  // A reserved number cannot be closed by close(2).
  if (slot.fd != 0) {
    raw::call(__NR_close_range, raw::marked(static_cast<raw::Word>(slot.fd)), slot.fd, 0);
  }
  slot.fd = 0;
  slot.one_shot = false;
}

std::atomic<int>* threads_in_callback() {
  return the_pool->threads_in_callback;
}
std::atomic<bool>& growing() {
  return the_pool->growing;
}

}  // namespace pool
}  // namespace torno
