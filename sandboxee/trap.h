// Trap: one system call that the filter handed to the SIGSYS handler.
#pragma once

#include <cerrno>
#include <cstdint>

#include "sandboxee/raw.h"

namespace torno {

// What the trapped process is to the library's memory.
enum class ProcessRole {
  kOwner,       // the memory is its own, and so are the channels in the pool
  kNewcomer,    // the memory is its own; another thread is just closing stale channels
  kVforkChild,  // works on its parent's memory with descriptors of its own
};

struct Trap {
  ucontext_t* context;
  int number;
  raw::Word args[6];

  ProcessRole role;

  // The broker or the filter refused the call: the callback of torno_on_trap hears of it.
  bool refused;

  // A child of vfork must not change what the library remembers of its parent.
  bool may_remember() const { return role != ProcessRole::kVforkChild; }

  // Arguments at the width the kernel reads them.
  int as_int(int index) const { return static_cast<int>(args[index]); }
  unsigned as_unsigned(int index) const { return static_cast<unsigned>(args[index]); }
  template <typename T>
  T as_pointer(int index) const {
    return reinterpret_cast<T>(args[index]);
  }

  // The signals blocked in the interrupted code; put in force again when the handler returns.
  std::uint64_t signal_mask() const { return context->uc_sigmask.__val[0]; }
  void set_signal_mask(std::uint64_t mask) { context->uc_sigmask.__val[0] = mask; }

  long refuse(int error) {
    refused = true;
    return -error;
  }
};

}  // namespace torno
