// Request: wire.Request as it lies in a datagram, read in place. It is the message of every call,
// and libprotobuf's copy of it costs more than all that is then decided about it. Nothing else of
// the wire is read here. tests/fuzz/wire_fuzz.cpp holds it against libprotobuf.
#pragma once

#include <time.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "broker/session/kind.h"
#include "proto/wire.pb.h"

namespace torno::session {

struct Request {
  Kind kind = Kind::kUnknown;  // its call
  std::uint32_t sequence = 0;
  std::uint32_t channel = 0;
  wire::Directory directory = wire::DIRECTORY_NONE;
  std::string_view cwd;  // this and the paths lie in the bytes that were read
  std::string_view path;
  wire::Directory second_directory = wire::DIRECTORY_NONE;
  std::string_view second_path;

  // The fields of the call, by their names; 0 where it has no such field.
  std::uint64_t flags = 0;
  std::uint64_t resolve = 0;
  std::uint32_t mode = 0;
  std::uint32_t mask = 0;
  std::uint64_t size = 0;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::array<timespec, 2> times{};  // of the last access, of the last change
};

enum class Read {
  kRequest,
  kOther,   // another kind of ClientMessage, if it is one
  kBroken,  // begins as a request, and is none
};

// Takes what libprotobuf takes, and means the same by it, but for what no encoder makes: something
// beside the request, two calls in one request, a known field of another wire type.
Read read_request(std::string_view bytes, Request& request);

}  // namespace torno::session
