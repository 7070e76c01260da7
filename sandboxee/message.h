// Message: requests and replies as bytes. The path and the working directory of a request are
// pieces of their own, straight from where they lie, so that a path needs no buffer and no copy.
// Async-signal-safe: no heap.
#pragma once

#include <sys/uio.h>

#include <cstddef>

#include "proto/wire.pb.h"
#include "sandboxee/fields.h"
#include "sandboxee/target.h"

namespace torno::wire {

struct Pieces {
  iovec piece[6];
  int count;
};

// `request` about `target` as a datagram; the pieces point into `slot` and at the path.
void encode_request(Slot& slot, const torno_wire_Request& request, const Target& target,
                    Pieces& pieces);

// The message that a BrokerMessage holds in its `field`; null data when it holds another, or is
// broken.
Bytes open_envelope(Bytes message, unsigned field);

// Into slot.reply.
bool decode_reply(Slot& slot, std::size_t size);
// stat_result.cpp
bool decode_stat(Bytes message, torno_wire_StatResult& stat);

// The messages with many fields, by nanopb.
bool decode_channel_ready(Bytes message, torno_wire_ChannelReady& ready);
bool decode_welcome(Bytes message, torno_wire_Welcome& welcome);
bool decode_refused(Bytes message, torno_wire_Refused& refused);

}  // namespace torno::wire
