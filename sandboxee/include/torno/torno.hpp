// Torno for C++23: torno.h with std::expected and std::string. Header-only; a C++ program links
// the same library as a C program.
//
//     if (auto entered = torno::enter("png"); !entered) {
//       std::println(stderr, "{}", entered.error());
//       return 1;                                  // never go on unconfined
//     }
#pragma once

#include <torno/torno.h>

#include <array>
#include <cerrno>
#include <expected>
#include <string>
#include <system_error>

namespace torno {

using Trap = torno_trap;

enum Flags : unsigned {
  kNone = 0,
  kNoEmbedded = TORNO_NO_EMBEDDED,
};

// torno_enter; the error is its message.
[[nodiscard]] inline std::expected<void, std::string> enter(const std::string& policy,
                                                            unsigned flags = kNone) {
  std::array<char, TORNO_ERROR_SIZE> error{};
  if (torno_enter(policy.c_str(), flags, error.data(), error.size()) == 0) return {};
  return std::unexpected(std::string(error.data()));
}

// torno_set for ${name} in policies.
[[nodiscard]] inline std::expected<void, std::error_code> set(const std::string& name,
                                                              const std::string& value) {
  if (torno_set((name + "=" + value).c_str()) == 0) return {};
  return std::unexpected(std::error_code(errno, std::generic_category()));
}

// torno_on_trap. The callback runs in a signal handler: a plain function, no std::function.
inline void on_trap(torno_trap_callback callback, void* user = nullptr) {
  torno_on_trap(callback, user);
}

[[nodiscard]] inline bool is_confined() {
  return torno_is_confined() != 0;
}
[[nodiscard]] inline const char* version() {
  return torno_version();
}

}  // namespace torno
