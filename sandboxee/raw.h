// raw::call: a system call by number, without libc: no errno, no cancellation point, no lock.
// Its result is what the kernel gives, -errno for a failure. Async-signal-safe.
#pragma once

#include "sandboxee/arch/x86_64.h"

namespace torno::raw {

using arch::Word;

template <typename T>
Word word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<Word>(value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return static_cast<Word>(value);  // signed values are sign-extended
  }
}

template <typename A = int, typename B = int, typename C = int, typename D = int, typename E = int,
          typename F = int>
long call(int number, A a = {}, B b = {}, C c = {}, D d = {}, E e = {}, F f = {}) {
  return arch::system_call(static_cast<Word>(number), word(a), word(b), word(c), word(d), word(e),
                           word(f));
}

// An int argument that carries the mark of a call the handler reissues. The filter lets such a
// call through where it is harmless for everyone.
inline Word marked(Word value) {
  return (Word{torno_wire_Constant_REISSUE_MARK} << 32) | (value & 0xffffffffU);
}

inline bool failed(long result) {
  return result < 0 && result >= -4095;
}

}  // namespace torno::raw
