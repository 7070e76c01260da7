// Message: requests and replies as bytes. nanopb does the fixed part; the path and the working
// directory are appended as pieces, straight from where they lie, so that a path needs no buffer
// and no copy. Async-signal-safe: no heap.
#pragma once

#include <sys/uio.h>

#include <cstddef>

#include "proto/wire.pb.h"
#include "sandboxee/target.h"

namespace torno::wire {

// Tag of an embedded message.
inline constexpr unsigned char message_tag(unsigned field) {
  return static_cast<unsigned char>(field << 3 | 2);
}
inline constexpr unsigned char kNewChannelTag =
    message_tag(torno_wire_ClientMessage_new_channel_tag);

struct Pieces {
  iovec piece[4];
  int count;
};

// `request` about `target` as a datagram; the pieces point into `slot` and at the path.
bool encode_request(Slot& slot, const torno_wire_Request& request, const Target& target,
                    Pieces& pieces);

// A BrokerMessage's one field: where its bytes begin, and their number in `size`; null when the
// message is another one or broken.
const unsigned char* open_envelope(const unsigned char* message, std::size_t& size, unsigned field);

bool decode_channel_ready(const unsigned char* message, std::size_t size,
                          torno_wire_ChannelReady& ready);

// Into slot.reply, slot.target and slot.target_size.
bool decode_reply(Slot& slot, std::size_t size);

}  // namespace torno::wire
