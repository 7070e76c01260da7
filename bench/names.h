// What is measured, and what each benchmark is called.
#pragma once

#include <array>
#include <string>

#include "bench/calls.h"

namespace torno::bench {

enum class Variant { kNative, kTrapAlone, kPersistent, kFresh, kTorno };

inline constexpr std::array kVariants = {Variant::kNative, Variant::kTrapAlone,
                                         Variant::kPersistent, Variant::kFresh, Variant::kTorno};

// Where client and broker run: on one CPU, or where the scheduler puts them.
enum class Placement { kPinned, kUnpinned };

inline constexpr std::array kPlacements = {Placement::kPinned, Placement::kUnpinned};

const char* name(Variant variant);
const char* name(Placement placement);

std::string benchmark_name(Call call, Variant variant, Placement placement);
std::string enter_name(Placement placement);

}  // namespace torno::bench
