// Comparison: one condition on one argument, at the width at which the kernel reads it.
#pragma once

#include <seccomp.h>

#include <cstdint>

#include "proto/wire.pb.h"

namespace torno::filter {

using Comparison = scmp_arg_cmp;

inline constexpr std::uint64_t kLowHalf = 0xffff'ffffU;
inline constexpr std::uint64_t kHighHalf = kLowHalf << 32;
inline constexpr std::uint64_t kMark = static_cast<std::uint64_t>(wire::REISSUE_MARK) << 32;

// The whole 64 bits: pointers, sizes.
constexpr Comparison whole(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

constexpr Comparison bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// An int argument: the kernel drops the high half, which may hold anything. -1 is passed both
// sign-extended and not.
constexpr Comparison low(unsigned argument, std::uint32_t value) {
  return bits(argument, kLowHalf, value);
}

// None of these flags in an int argument.
constexpr Comparison without(unsigned argument, std::uint32_t flags) {
  return bits(argument, flags, 0);
}

// The high half that the kernel ignores says that the sandboxee's handler reissues the call. An
// attacker can write it as well, so it must grant nothing.
constexpr Comparison marked(unsigned argument) {
  return bits(argument, kHighHalf, kMark);
}

}  // namespace torno::filter
