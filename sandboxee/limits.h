// The library's own sizes. Those that both sides share are constants of proto/wire.proto.
#pragma once

#include <cstddef>

#include "proto/wire.pb.h"

namespace torno {

inline constexpr int kFirstChannelFd = torno_wire_Constant_FIRST_CHANNEL_FD;
inline constexpr int kLastChannelFd = torno_wire_Constant_LAST_CHANNEL_FD;
inline constexpr int kControlFd = torno_wire_Constant_CONTROL_FD;

inline constexpr std::size_t kPageSize = 4096;  // the smallest page of the architecture
inline constexpr std::size_t kMaxPath = torno_wire_Constant_MAX_PATH;

// Largest struct sockaddr the kernel takes (sizeof(struct sockaddr_storage)).
inline constexpr std::size_t kMaxAddress = 128;

// Largest reply: a link's target of PATH_MAX and the fields around it. Welcome is smaller.
inline constexpr std::size_t kMaxReply = 4096 + 512;

// How long a broker may take to answer Hello: it may have to compile a large policy.
inline constexpr int kHandshakeMilliseconds = 10'000;

// A filter of the kernel is at most BPF_MAXINSNS long.
inline constexpr std::size_t kMaxInstructions = 4096;

// Is `fd` one of the library's own? A program that names one gets EBADF, as from the filter.
inline bool is_reserved(int fd) {
  return fd >= kFirstChannelFd && fd <= kControlFd;
}

}  // namespace torno
