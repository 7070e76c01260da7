#include "sandboxee/message.h"

#include <pb_decode.h>
#include <pb_encode.h>

namespace torno::wire {
namespace {

// Fields that wire.options keeps from nanopb, because their bytes are appended here.
constexpr unsigned kRequestCwdField = 10;
constexpr unsigned kRequestPathField = 11;

constexpr std::size_t kEnvelopeSize = 4;  // tag and length of ClientMessage.request, at most

std::size_t put_varint(char* to, std::size_t value) {
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) to[size++] = static_cast<char>(value | 0x80);
  to[size++] = static_cast<char>(value);
  return size;
}

// The tag and length of a bytes field; the bytes follow in a piece of their own.
std::size_t put_field_head(char* to, unsigned field, std::size_t bytes) {
  to[0] = static_cast<char>(message_tag(field));
  return 1 + put_varint(to + 1, bytes);
}

void add_piece(Pieces& pieces, const void* bytes, std::size_t size) {
  if (size == 0) return;
  pieces.piece[pieces.count++] = {const_cast<void*>(bytes), size};
}

bool get_varint(const unsigned char*& at, const unsigned char* end, std::size_t& value) {
  value = 0;
  for (unsigned shift = 0; at < end && shift < 28; shift += 7) {
    const unsigned char byte = *at++;
    value |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

// nanopb calls this with a stream over the bytes of Reply.target, which stay where they are.
bool keep_target(pb_istream_t* stream, const pb_field_t*, void** slot_pointer) {
  Slot& slot = *static_cast<Slot*>(*slot_pointer);
  slot.target = static_cast<const unsigned char*>(stream->state);
  slot.target_size = stream->bytes_left;
  return pb_read(stream, nullptr, stream->bytes_left);
}

}  // namespace

bool encode_request(Slot& slot, const torno_wire_Request& request, const Target& target,
                    Pieces& pieces) {
  static_assert(kEnvelopeSize + torno_wire_Request_size + 4 <= sizeof slot.head);
  char* const fixed = slot.head + kEnvelopeSize;
  pb_ostream_t stream =
      pb_ostream_from_buffer(reinterpret_cast<pb_byte_t*>(fixed), torno_wire_Request_size);
  if (!pb_encode(&stream, torno_wire_Request_fields, &request)) return false;
  std::size_t fixed_size = stream.bytes_written;
  std::size_t path_head_size = 0;
  if (target.cwd_size != 0) {
    fixed_size += put_field_head(fixed + fixed_size, kRequestCwdField, target.cwd_size);
  }
  if (target.path_size != 0) {
    path_head_size = put_field_head(slot.path_head, kRequestPathField, target.path_size);
  }

  char envelope[kEnvelopeSize];
  const std::size_t envelope_size =
      put_field_head(envelope, torno_wire_ClientMessage_request_tag,
                     fixed_size + target.cwd_size + path_head_size + target.path_size);
  char* const begin = fixed - envelope_size;
  __builtin_memcpy(begin, envelope, envelope_size);

  pieces.count = 0;
  add_piece(pieces, begin, envelope_size + fixed_size);
  add_piece(pieces, slot.cwd, target.cwd_size);
  add_piece(pieces, slot.path_head, path_head_size);
  add_piece(pieces, target.path, target.path_size);
  return true;
}

const unsigned char* open_envelope(const unsigned char* message, std::size_t& size,
                                   unsigned field) {
  const unsigned char* const end = message + size;
  if (size == 0 || *message != message_tag(field)) return nullptr;
  ++message;
  std::size_t length;
  if (!get_varint(message, end, length)) return nullptr;
  if (length != static_cast<std::size_t>(end - message)) return nullptr;
  size = length;
  return message;
}

bool decode_channel_ready(const unsigned char* message, std::size_t size,
                          torno_wire_ChannelReady& ready) {
  message = open_envelope(message, size, torno_wire_BrokerMessage_channel_ready_tag);
  if (message == nullptr) return false;
  pb_istream_t stream = pb_istream_from_buffer(message, size);
  return pb_decode(&stream, torno_wire_ChannelReady_fields, &ready);
}

bool decode_reply(Slot& slot, std::size_t size) {
  const unsigned char* const message =
      open_envelope(slot.received, size, torno_wire_BrokerMessage_reply_tag);
  if (message == nullptr) return false;
  slot.target = nullptr;
  slot.target_size = 0;
  slot.reply.target.funcs.decode = keep_target;
  slot.reply.target.arg = &slot;
  pb_istream_t stream = pb_istream_from_buffer(message, size);
  return pb_decode(&stream, torno_wire_Reply_fields, &slot.reply);
}

}  // namespace torno::wire
