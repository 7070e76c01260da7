#include "broker/session/reply.h"

#include "proto/wire.pb.h"

namespace torno::session {
namespace {

constexpr char tag(int field, int wire_type) {
  return static_cast<char>(field << 3 | wire_type);
}

constexpr int kVarint = 0;
constexpr int kBytes = 2;
constexpr int kFixed32 = 5;

// protobuf's sint32
constexpr std::uint32_t zigzag(std::int32_t value) {
  return static_cast<std::uint32_t>(value) << 1 ^ static_cast<std::uint32_t>(value >> 31);
}

}  // namespace

std::string_view write_reply(std::uint32_t sequence, std::int32_t result, std::span<char> buffer) {
  char* at = buffer.data();
  *at++ = tag(wire::BrokerMessage::kReplyFieldNumber, kBytes);
  char* const size = at++;
  *at++ = tag(wire::Reply::kSequenceFieldNumber, kFixed32);
  for (int shift = 0; shift < 32; shift += 8) *at++ = static_cast<char>(sequence >> shift);
  if (result != 0) {
    *at++ = tag(wire::Reply::kResultFieldNumber, kVarint);
    std::uint32_t left = zigzag(result);
    for (; left >= 0x80; left >>= 7) *at++ = static_cast<char>(left | 0x80);
    *at++ = static_cast<char>(left);
  }
  *size = static_cast<char>(at - size - 1);
  return {buffer.data(), static_cast<std::size_t>(at - buffer.data())};
}

}  // namespace torno::session
