// Pool: the channels of this process and the memory a call works in, one slot a call.
//
// Lock-free and async-signal-safe: a slot is taken by one compare-and-swap. The pool lies on
// memory that fork wipes, so a child starts with an empty one and makes channels of its own; two
// processes on one channel would take each other's replies.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <cstdint>

#include "sandboxee/fields.h"
#include "sandboxee/limits.h"
#include "sandboxee/trap.h"

namespace torno {

namespace wire {

// What came back; the bytes lie in Slot::received.
struct Reply {
  std::uint32_t sequence = 0;
  std::int32_t result = 0;
  bool pending = false;
  Bytes stat;      // a StatResult
  Bytes statfs;    // a StatfsResult
  Bytes target;    // of Readlink
  Bytes narrowed;  // a Welcome
  Bytes message;   // why Narrow failed
};

}  // namespace wire

// Zero bytes are a free slot without a channel. 12 KiB, of which a call touches what it needs.
struct Slot {
  std::atomic<bool> busy;
  bool one_shot;           // the channel ends with the call
  int process;             // whose descriptor `fd` is: memory may be shared where tables are not
  int fd;                  // the channel; 0: none
  std::uint32_t channel;   // its name in Request.channel
  std::uint32_t sequence;  // of the last request

  unsigned char head[512];     // the message up to the bytes of `cwd`, or all of a short one
  unsigned char path_head[8];  // and between `cwd` and the path
  unsigned char second_head[8];
  char cwd[kPageSize];
  char address[kMaxAddress];

  unsigned char received[kMaxReply];
  wire::Reply reply;
};

class SlotLease {
 public:
  // Takes a free slot and sees that it has a channel. When all are taken, and where the pool is
  // not this process's, the slot is new memory and the channel for this call alone: nobody waits
  // for another's call to end, which may be never.
  explicit SlotLease(const Trap& trap);
  SlotLease(const SlotLease&) = delete;
  SlotLease& operator=(const SlotLease&) = delete;
  ~SlotLease();

  // 0, or the -errno for which there is no channel.
  long error() const { return error_; }
  Slot& operator*() { return *slot_; }
  Slot* operator->() { return slot_; }

 private:
  Slot* slot_ = nullptr;
  bool in_pool_ = false;
  long error_ = 0;
};

namespace pool {

// Before the seal: maps the pool and gives its first slot the channel `fd`.
bool create(int fd, std::uint32_t channel);
void destroy();

// Looks after a process that fork just made: stale channels are closed, the soft limit of
// descriptors put right.
ProcessRole adopt_process();

// Closes a slot's channel: it broke.
void drop_channel(Slot& slot);

// Room on wiped memory for the threads that run the callback of torno_on_trap.
inline constexpr int kMaxThreadsInCallback = 128;
std::atomic<int>* threads_in_callback();

// At most one thread at a time raises the soft limit to place a channel.
std::atomic<bool>& growing();

}  // namespace pool
}  // namespace torno
