// The measured calls, the same for every variant.
#pragma once

#include <array>
#include <cstdint>

namespace torno::bench {

enum class Call : std::uint8_t { kOpenClose, kStat, kAccess };

inline constexpr std::array kCalls = {Call::kOpenClose, Call::kStat, Call::kAccess};

const char* name(Call call);

// CLOCK_MONOTONIC, nanoseconds.
std::int64_t now_ns();

// Makes the call on `path` `count` times; the nanoseconds of all of them. False: one did not
// succeed, so there is nothing to measure.
bool run(Call call, const char* path, std::uint32_t count, std::int64_t& elapsed_ns);

// Pins the calling process to CPU 0, so that no wake-up crosses CPUs.
void pin_to_one_cpu();

}  // namespace torno::bench
