// Seed: where the random choices of a test begin. TORNO_SEED, which scripts/test chooses and
// prints, moves all of them; a number of its own keeps a test apart from the others.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace torno::test {

inline std::uint32_t seed(std::uint32_t own) {
  const char* text = std::getenv("TORNO_SEED");
  return own + static_cast<std::uint32_t>(text != nullptr ? std::strtoul(text, nullptr, 10) : 0);
}

}  // namespace torno::test
