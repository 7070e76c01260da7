// Permissions as a bit set. Special file types are bits of the same set: opening a FIFO for
// reading wants kRead | kFifo, and a rule that names the type grants both.
#pragma once

#include <cstdint>
#include <string>

namespace torno::policy {

using Permissions = std::uint16_t;

inline constexpr Permissions kNone = 0;
inline constexpr Permissions kRead = 1U << 0;
inline constexpr Permissions kWrite = 1U << 1;
inline constexpr Permissions kCreate = 1U << 2;
inline constexpr Permissions kExecute = 1U << 3;
inline constexpr Permissions kStat = 1U << 4;
inline constexpr Permissions kCharacterDevice = 1U << 5;
inline constexpr Permissions kBlockDevice = 1U << 6;
inline constexpr Permissions kFifo = 1U << 7;
inline constexpr Permissions kSocket = 1U << 8;
inline constexpr int kPermissionCount = 9;

// "READ", "READ|WRITE|FIFO", as a policy spells them.
std::string to_string(Permissions permissions);

}  // namespace torno::policy
