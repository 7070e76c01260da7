// The reply of most requests, a result and nothing else, written without libprotobuf: it answers
// every open, and is a dozen bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace torno::session {

// A BrokerMessage with a Reply of `sequence` and `result`, in `buffer`, which has room for it.
inline constexpr std::size_t kMaxPlainReply = 13;
std::string_view write_reply(std::uint32_t sequence, std::int32_t result, std::span<char> buffer);

}  // namespace torno::session
