// Decoder: the bytes of one datagram to a message, and the part of a request that every call has
// in common to a files::Place. What stands here and in request.h is all that hostile bytes meet
// before the dispatch table; tests/fuzz/wire_fuzz.cpp feeds both.
#pragma once

#include <google/protobuf/arena.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "broker/files/request.h"
#include "broker/session/kind.h"
#include "broker/session/request.h"
#include "proto/wire.pb.h"

namespace torno::session {

// Of all but requests, which request.h reads: kUnknown for them.
Kind kind_of(const wire::ClientMessage& message);

// Parses into memory that it uses again for the next message. One per io thread.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Null when the bytes are no ClientMessage. The message lives until the next call.
  const wire::ClientMessage* decode(std::string_view bytes);

  // An empty answer that lives until the next one.
  wire::BrokerMessage& new_answer();

 private:
  // Memory that is emptied once in so many messages: that costs about as much as one.
  class Memory {
   public:
    Memory();
    template <typename Message>
    Message* make();

   private:
    static constexpr int kMessagesBetween = 16;
    static constexpr std::size_t kBlock = 16384;  // holds so many common ones

    alignas(std::max_align_t) std::array<char, kBlock> block_;
    google::protobuf::Arena arena_;
    int messages_ = 0;
  };

  Memory received_;
  Memory answers_;
};

// Where a request leads, checked.
struct CheckedPlace {
  const char* broken = nullptr;  // not null: the request breaks the protocol, thus
  int error = 0;                 // an errno value a correct client may run into
  files::Place place;            // views into the request; `fd` is not set
};

CheckedPlace check_place(const Request& request);

// The second path of rename and link.
CheckedPlace check_second_place(const Request& request);

// The same for connect, whose path is a socket address.
CheckedPlace check_connect_place(const Request& request);

}  // namespace torno::session
