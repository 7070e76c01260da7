// x86_64: the register access, the raw system calls and the signal return of this architecture.
// Everything else in the library is the same on all of them.
//
// Where REISSUE_MARK stands: in the high half of an argument that the kernel reads as an int or
// an unsigned int, so that it changes nothing (mark below).
#pragma once

#include <asm/unistd.h>
#include <linux/audit.h>
#include <sys/ucontext.h>

#include <cstdint>
#include <type_traits>

#include "proto/wire.pb.h"

namespace torno::arch {

using Word = std::uint64_t;

inline constexpr std::uint32_t kAuditArch = AUDIT_ARCH_X86_64;

// The SIGSYS handler returns through this (x86_64.cpp).
extern "C" void torno_signal_return();

inline long system_call(Word number, Word a, Word b, Word c, Word d, Word e, Word f) {
  long result;
  register Word r10 asm("r10") = d;
  register Word r8 asm("r8") = e;
  register Word r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// The interrupted system call's arguments and the register its result goes to.
inline Word argument(const ucontext_t& context, int index) {
  static constexpr int kRegisters[6] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
  return static_cast<Word>(context.uc_mcontext.gregs[kRegisters[index]]);
}

inline void set_result(ucontext_t& context, long result) {
  context.uc_mcontext.gregs[REG_RAX] = result;
}

}  // namespace torno::arch
