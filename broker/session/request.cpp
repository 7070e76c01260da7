#include "broker/session/request.h"

#include <cstring>

namespace torno::session {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;

constexpr std::uint32_t tag(int field, std::uint32_t type) {
  return static_cast<std::uint32_t>(field) << 3 | type;
}

// Reads values off the front of a message. Whatever is not there, or goes beyond the end, leaves it
// broken.
class Reader {
 public:
  explicit Reader(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  bool is_at_end() const { return at_ == end_; }
  bool is_broken() const { return broken_; }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      if (shift < 64) value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    broken_ = true;
    return 0;
  }
  // Libprotobuf takes five bytes for a tag at most, and no field 0.
  std::uint32_t tag() {
    const char* const begin = at_;
    const std::uint64_t value = varint();
    if (at_ - begin > 5 || value > UINT32_MAX || value < 8) broken_ = true;
    return static_cast<std::uint32_t>(value);
  }
  std::uint32_t word() { return static_cast<std::uint32_t>(varint()); }
  std::uint32_t fixed32() {
    std::uint32_t value = 0;
    if (const std::string_view four = take(sizeof value); !four.empty()) {
      std::memcpy(&value, four.data(), sizeof value);  // as on the wire: little-endian
    }
    return value;
  }
  std::string_view bytes() { return take(varint()); }
  void skip(std::uint32_t tag) {
    switch (tag & 7) {
      case kVarint:
        varint();
        return;
      case kFixed64:
        take(8);
        return;
      case kBytes:
        bytes();
        return;
      case kFixed32:
        take(4);
        return;
      default:
        broken_ = true;
    }
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) {
      broken_ = true;
      return {};
    }
    const std::string_view taken(at_, static_cast<std::size_t>(size));
    at_ += size;
    return taken;
  }

  const char* at_;
  const char* end_;
  bool broken_ = false;
};

// A known field of another wire type than its own.
bool is_odd(std::uint32_t tag, int last_field) {
  return tag >> 3 <= static_cast<std::uint32_t>(last_field);
}

using TakeField = bool (*)(std::uint32_t tag, Reader& reader, Request& request);

bool take_open(std::uint32_t field, Reader& reader, Request& request) {
  using wire::Open;
  switch (field) {
    case tag(Open::kFlagsFieldNumber, kVarint):
      request.flags = reader.varint();
      return true;
    case tag(Open::kModeFieldNumber, kVarint):
      request.mode = reader.word();
      return true;
    case tag(Open::kResolveFieldNumber, kVarint):
      request.resolve = reader.varint();
      return true;
    default:
      return !is_odd(field, Open::kResolveFieldNumber) && (reader.skip(field), true);
  }
}

bool take_stat(std::uint32_t field, Reader& reader, Request& request) {
  using wire::Stat;
  switch (field) {
    case tag(Stat::kFlagsFieldNumber, kVarint):
      request.flags = reader.word();
      return true;
    case tag(Stat::kMaskFieldNumber, kVarint):
      request.mask = reader.word();
      return true;
    default:
      return !is_odd(field, Stat::kMaskFieldNumber) && (reader.skip(field), true);
  }
}

bool take_access(std::uint32_t field, Reader& reader, Request& request) {
  using wire::Access;
  switch (field) {
    case tag(Access::kModeFieldNumber, kVarint):
      request.mode = reader.word();
      return true;
    case tag(Access::kFlagsFieldNumber, kVarint):
      request.flags = reader.word();
      return true;
    default:
      return !is_odd(field, Access::kFlagsFieldNumber) && (reader.skip(field), true);
  }
}

bool take_readlink(std::uint32_t field, Reader& reader, Request& request) {
  if (field == tag(wire::Readlink::kSizeFieldNumber, kVarint)) {
    request.size = reader.word();
    return true;
  }
  return !is_odd(field, wire::Readlink::kSizeFieldNumber) && (reader.skip(field), true);
}

bool take_nothing(std::uint32_t field, Reader& reader, Request&) {
  reader.skip(field);
  return true;
}

bool read_call(Kind kind, TakeField take, Reader& outer, Request& request) {
  if (request.kind != Kind::kUnknown) return false;
  request.kind = kind;
  Reader reader(outer.bytes());
  while (!reader.is_at_end() && !reader.is_broken()) {
    const std::uint32_t field = reader.tag();
    if (reader.is_broken() || !take(field, reader, request)) return false;
  }
  return !reader.is_broken();
}

bool read_field(std::uint32_t field, Reader& reader, Request& request) {
  switch (field) {
    case tag(wire::Request::kSequenceFieldNumber, kFixed32):
      request.sequence = reader.fixed32();
      return true;
    case tag(wire::Request::kOpenFieldNumber, kBytes):
      return read_call(Kind::kOpen, take_open, reader, request);
    case tag(wire::Request::kStatFieldNumber, kBytes):
      return read_call(Kind::kStat, take_stat, reader, request);
    case tag(wire::Request::kAccessFieldNumber, kBytes):
      return read_call(Kind::kAccess, take_access, reader, request);
    case tag(wire::Request::kReadlinkFieldNumber, kBytes):
      return read_call(Kind::kReadlink, take_readlink, reader, request);
    case tag(wire::Request::kConnectFieldNumber, kBytes):
      return read_call(Kind::kConnect, take_nothing, reader, request);
    case tag(wire::Request::kNarrowFieldNumber, kBytes):
      return read_call(Kind::kNarrow, take_nothing, reader, request);
    case tag(wire::Request::kChannelFieldNumber, kVarint):
      request.channel = reader.word();
      return true;
    case tag(wire::Request::kDirectoryFieldNumber, kVarint):
      request.directory = static_cast<wire::Directory>(static_cast<std::int32_t>(reader.word()));
      return true;
    case tag(wire::Request::kCwdFieldNumber, kBytes):
      request.cwd = reader.bytes();
      return true;
    case tag(wire::Request::kPathFieldNumber, kBytes):
      request.path = reader.bytes();
      return true;
    default:
      return !is_odd(field, wire::Request::kPathFieldNumber) && (reader.skip(field), true);
  }
}

}  // namespace

Read read_request(std::string_view bytes, Request& request) {
  constexpr std::uint32_t kEnvelope = tag(wire::ClientMessage::kRequestFieldNumber, kBytes);
  static_assert(kEnvelope < 0x80, "one byte");
  if (bytes.empty() || static_cast<unsigned char>(bytes.front()) != kEnvelope) return Read::kOther;
  Reader message(bytes.substr(1));
  Reader reader(message.bytes());
  if (message.is_broken() || !message.is_at_end()) return Read::kBroken;
  while (!reader.is_at_end()) {
    const std::uint32_t field = reader.tag();
    if (reader.is_broken() || !read_field(field, reader, request) || reader.is_broken()) {
      return Read::kBroken;
    }
  }
  return Read::kRequest;
}

}  // namespace torno::session
