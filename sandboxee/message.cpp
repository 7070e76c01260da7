#include "sandboxee/message.h"

#include <pb_decode.h>

namespace torno::wire {
namespace {

// Fields that wire.options keeps from nanopb, because their bytes are appended here.
constexpr unsigned kRequestCwdField = 10;
constexpr unsigned kRequestPathField = 11;
constexpr unsigned kRequestSecondPathField = 25;

// Copied, since every piece costs the kernel more than so many bytes cost here.
constexpr std::size_t kShortPath = 256;

constexpr unsigned kEnvelopeSize = 4;  // tag and length of ClientMessage.request, at most

void put_times(FieldWriter& call, const torno_wire_Utimensat& times) {
  const auto word = [](std::int64_t seconds) { return static_cast<std::uint64_t>(seconds); };
  call.number(torno_wire_Utimensat_flags_tag, times.flags);
  call.number(torno_wire_Utimensat_atime_sec_tag, word(times.atime_sec));
  call.number(torno_wire_Utimensat_atime_nsec_tag, times.atime_nsec);
  call.number(torno_wire_Utimensat_mtime_sec_tag, word(times.mtime_sec));
  call.number(torno_wire_Utimensat_mtime_nsec_tag, times.mtime_nsec);
}

// The one of Request's calls that is asked for.
unsigned char* put_call(unsigned char* to, const torno_wire_Request& request) {
  FieldWriter call(to);
  switch (request.which_call) {
    case torno_wire_Request_open_tag:
      call.number(torno_wire_Open_flags_tag, request.call.open.flags);
      call.number(torno_wire_Open_mode_tag, request.call.open.mode);
      call.number(torno_wire_Open_resolve_tag, request.call.open.resolve);
      break;
    case torno_wire_Request_stat_tag:
      call.number(torno_wire_Stat_flags_tag, request.call.stat.flags);
      call.number(torno_wire_Stat_mask_tag, request.call.stat.mask);
      break;
    case torno_wire_Request_access_tag:
      call.number(torno_wire_Access_mode_tag, request.call.access.mode);
      call.number(torno_wire_Access_flags_tag, request.call.access.flags);
      break;
    case torno_wire_Request_readlink_tag:
      call.number(torno_wire_Readlink_size_tag, request.call.readlink.size);
      break;
    case torno_wire_Request_mkdir_tag:
      call.number(torno_wire_Mkdir_mode_tag, request.call.mkdir.mode);
      break;
    case torno_wire_Request_mknod_tag:
      call.number(torno_wire_Mknod_mode_tag, request.call.mknod.mode);
      break;
    case torno_wire_Request_unlink_tag:
      call.number(torno_wire_Unlink_flags_tag, request.call.unlink.flags);
      break;
    case torno_wire_Request_rename_tag:
      call.number(torno_wire_Rename_flags_tag, request.call.rename.flags);
      break;
    case torno_wire_Request_link_tag:
      call.number(torno_wire_Link_flags_tag, request.call.link.flags);
      break;
    case torno_wire_Request_chmod_tag:
      call.number(torno_wire_Chmod_mode_tag, request.call.chmod.mode);
      call.number(torno_wire_Chmod_flags_tag, request.call.chmod.flags);
      break;
    case torno_wire_Request_chown_tag:
      call.number(torno_wire_Chown_user_tag, request.call.chown.user);
      call.number(torno_wire_Chown_group_tag, request.call.chown.group);
      call.number(torno_wire_Chown_flags_tag, request.call.chown.flags);
      break;
    case torno_wire_Request_utimensat_tag:
      put_times(call, request.call.utimensat);
      break;
    case torno_wire_Request_truncate_tag:
      call.number(torno_wire_Truncate_size_tag, request.call.truncate.size);
      break;
    default:  // the others have no fields
      break;
  }
  return call.end();
}

void add_piece(Pieces& pieces, const void* bytes, std::size_t size) {
  if (size == 0) return;
  pieces.piece[pieces.count++] = {const_cast<void*>(bytes), size};
}

std::size_t distance(const unsigned char* from, const unsigned char* to) {
  return static_cast<std::size_t>(to - from);
}

// sint32 of protobuf.
std::int32_t from_zigzag(std::uint64_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  return static_cast<std::int32_t>((bits >> 1) ^ (0U - (bits & 1U)));
}

template <typename Message>
bool decode(Bytes bytes, const pb_msgdesc_t* descriptor, Message& message) {
  if (bytes.data == nullptr) return false;
  pb_istream_t stream = pb_istream_from_buffer(bytes.data, bytes.size);
  return pb_decode(&stream, descriptor, &message);
}

}  // namespace

void encode_request(Slot& slot, const torno_wire_Request& request, const Target& target,
                    Pieces& pieces) {
  static_assert(kEnvelopeSize + torno_wire_Request_size + 4 + sizeof slot.path_head + kShortPath <=
                sizeof slot.head);
  unsigned char call[torno_wire_Utimensat_size];  // the largest of them
  const std::size_t call_size = distance(call, put_call(call, request));

  unsigned char* const fixed = slot.head + kEnvelopeSize;
  FieldWriter head(fixed);
  head.fixed32(torno_wire_Request_sequence_tag, request.sequence);
  head.bytes_head(request.which_call, call_size);
  for (std::size_t i = 0; i < call_size; ++i) head.byte(call[i]);
  head.number(torno_wire_Request_channel_tag, request.channel);
  head.number(torno_wire_Request_directory_tag, request.directory);
  head.number(torno_wire_Request_second_directory_tag, request.second_directory);
  if (target.cwd_size != 0) head.bytes_head(kRequestCwdField, target.cwd_size);
  const std::size_t fixed_size = distance(fixed, head.end());

  FieldWriter path_head(slot.path_head);
  if (target.path_size != 0) path_head.bytes_head(kRequestPathField, target.path_size);
  const std::size_t path_head_size = distance(slot.path_head, path_head.end());

  FieldWriter second_head(slot.second_head);
  const std::size_t second_size = target.second_path_size;
  if (second_size != 0) second_head.bytes_head(kRequestSecondPathField, second_size);
  const std::size_t second_head_size = distance(slot.second_head, second_head.end());

  // In front of all, now that their length is known.
  unsigned char envelope[kEnvelopeSize];
  FieldWriter envelope_head(envelope);
  envelope_head.bytes_head(torno_wire_ClientMessage_request_tag,
                           fixed_size + target.cwd_size + path_head_size + target.path_size +
                               second_head_size + second_size);
  const std::size_t envelope_size = distance(envelope, envelope_head.end());
  unsigned char* const begin = fixed - envelope_size;
  for (std::size_t i = 0; i < envelope_size; ++i) begin[i] = envelope[i];

  pieces.count = 0;
  if (target.cwd_size == 0 && second_size == 0 && target.path_size <= kShortPath) {
    __builtin_memcpy(fixed + fixed_size, slot.path_head, path_head_size);
    __builtin_memcpy(fixed + fixed_size + path_head_size, target.path, target.path_size);
    add_piece(pieces, begin, envelope_size + fixed_size + path_head_size + target.path_size);
    return;
  }
  add_piece(pieces, begin, envelope_size + fixed_size);
  add_piece(pieces, slot.cwd, target.cwd_size);
  add_piece(pieces, slot.path_head, path_head_size);
  add_piece(pieces, target.path, target.path_size);
  add_piece(pieces, slot.second_head, second_head_size);
  add_piece(pieces, target.second_path, second_size);
}

Bytes open_envelope(Bytes message, unsigned field) {
  FieldReader reader(message);
  if (!reader.next() || reader.field() != field) return {};
  const Bytes inner = reader.bytes();
  return reader.next() || reader.is_broken() ? Bytes{} : inner;
}

bool decode_reply(Slot& slot, std::size_t size) {
  const Bytes message = open_envelope({slot.received, size}, torno_wire_BrokerMessage_reply_tag);
  if (message.data == nullptr) return false;
  Reply& reply = slot.reply;
  reply = {};
  FieldReader reader(message);
  while (reader.next()) {
    switch (reader.field()) {
      case torno_wire_Reply_sequence_tag:
        reply.sequence = static_cast<std::uint32_t>(reader.value());
        break;
      case torno_wire_Reply_result_tag:
        reply.result = from_zigzag(reader.value());
        break;
      case torno_wire_Reply_pending_tag:
        reply.pending = reader.value() != 0;
        break;
      case torno_wire_Reply_stat_tag:
        reply.stat = reader.bytes();
        break;
      case torno_wire_Reply_statfs_tag:
        reply.statfs = reader.bytes();
        break;
      case torno_wire_Reply_target_tag:
        reply.target = reader.bytes();
        break;
      case torno_wire_Reply_narrowed_tag:
        reply.narrowed = reader.bytes();
        break;
      case torno_wire_Reply_message_tag:
        reply.message = reader.bytes();
        break;
      default:  // of a later minor version
        break;
    }
  }
  return !reader.is_broken();
}

bool decode_channel_ready(Bytes message, torno_wire_ChannelReady& ready) {
  return decode(open_envelope(message, torno_wire_BrokerMessage_channel_ready_tag),
                torno_wire_ChannelReady_fields, ready);
}

bool decode_welcome(Bytes message, torno_wire_Welcome& welcome) {
  return decode(message, torno_wire_Welcome_fields, welcome);
}

bool decode_refused(Bytes message, torno_wire_Refused& refused) {
  return decode(message, torno_wire_Refused_fields, refused);
}

}  // namespace torno::wire
