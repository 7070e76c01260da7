#include "broker/session/request.h"

#include <algorithm>
#include <cstring>
#include <vector>

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

wire::Directory read_directory(Reader& reader) {
  return static_cast<wire::Directory>(static_cast<std::int32_t>(reader.word()));
}

// What the fields of a call are put into, by their numbers from 1 on. All of them are varints.
using Take = void (*)(Reader& reader, Request& request);

constexpr Take kFlags32 = [](Reader& reader, Request& request) { request.flags = reader.word(); };
constexpr Take kFlags = [](Reader& reader, Request& request) { request.flags = reader.varint(); };
constexpr Take kMode = [](Reader& reader, Request& request) { request.mode = reader.word(); };
constexpr Take kResolve = [](Reader& reader, Request& request) {
  request.resolve = reader.varint();
};
constexpr Take kMask = [](Reader& reader, Request& request) { request.mask = reader.word(); };
constexpr Take kSize32 = [](Reader& reader, Request& request) { request.size = reader.word(); };
constexpr Take kSize = [](Reader& reader, Request& request) { request.size = reader.varint(); };
constexpr Take kUser = [](Reader& reader, Request& request) { request.user = reader.word(); };
constexpr Take kGroup = [](Reader& reader, Request& request) { request.group = reader.word(); };
template <std::size_t kWhich>
constexpr Take kSeconds = [](Reader& reader, Request& request) {
  request.times[kWhich].tv_sec = static_cast<std::time_t>(reader.varint());
};
template <std::size_t kWhich>
constexpr Take kNanoseconds =
    [](Reader& reader, Request& request) { request.times[kWhich].tv_nsec = reader.word(); };

struct CallFields {
  std::uint32_t number;  // of the call in Request
  Kind kind;
  std::vector<Take> fields;
};

const CallFields* fields_of(std::uint32_t number) {
  using wire::Request;
  // clang-format off
  static const CallFields kRows[] = {
    {Request::kOpenFieldNumber,      Kind::kOpen,      {kFlags, kMode, kResolve}},
    {Request::kStatFieldNumber,      Kind::kStat,      {kFlags32, kMask}},
    {Request::kAccessFieldNumber,    Kind::kAccess,    {kMode, kFlags32}},
    {Request::kReadlinkFieldNumber,  Kind::kReadlink,  {kSize32}},
    {Request::kConnectFieldNumber,   Kind::kConnect,   {}},
    {Request::kNarrowFieldNumber,    Kind::kNarrow,    {}},
    {Request::kMkdirFieldNumber,     Kind::kMkdir,     {kMode}},
    {Request::kMknodFieldNumber,     Kind::kMknod,     {kMode}},
    {Request::kUnlinkFieldNumber,    Kind::kUnlink,    {kFlags32}},
    {Request::kRmdirFieldNumber,     Kind::kRmdir,     {}},
    {Request::kRenameFieldNumber,    Kind::kRename,    {kFlags32}},
    {Request::kLinkFieldNumber,      Kind::kLink,      {kFlags32}},
    {Request::kSymlinkFieldNumber,   Kind::kSymlink,   {}},
    {Request::kChmodFieldNumber,     Kind::kChmod,     {kMode, kFlags32}},
    {Request::kChownFieldNumber,     Kind::kChown,     {kUser, kGroup, kFlags32}},
    {Request::kUtimensatFieldNumber, Kind::kUtimensat, {kFlags32, kSeconds<0>, kNanoseconds<0>,
                                                        kSeconds<1>, kNanoseconds<1>}},
    {Request::kTruncateFieldNumber,  Kind::kTruncate,  {kSize}},
    {Request::kStatfsFieldNumber,    Kind::kStatfs,    {}},
  };
  // clang-format on
  const auto* row = std::ranges::find(kRows, number, &CallFields::number);
  return row != std::end(kRows) ? row : nullptr;
}

bool read_call(const CallFields& call, Reader& outer, Request& request) {
  if (request.kind != Kind::kUnknown) return false;
  request.kind = call.kind;
  Reader reader(outer.bytes());
  while (!reader.is_at_end() && !reader.is_broken()) {
    const std::uint32_t field = reader.tag();
    if (reader.is_broken()) return false;
    const std::size_t index = (field >> 3) - 1;
    if (index >= call.fields.size()) {
      reader.skip(field);
    } else if ((field & 7) != kVarint) {
      return false;  // a known field of another wire type than its own
    } else {
      call.fields[index](reader, request);
    }
  }
  return !reader.is_broken();
}

bool read_field(std::uint32_t field, Reader& reader, Request& request) {
  switch (field) {
    case tag(wire::Request::kSequenceFieldNumber, kFixed32):
      request.sequence = reader.fixed32();
      return true;
    case tag(wire::Request::kChannelFieldNumber, kVarint):
      request.channel = reader.word();
      return true;
    case tag(wire::Request::kDirectoryFieldNumber, kVarint):
      request.directory = read_directory(reader);
      return true;
    case tag(wire::Request::kCwdFieldNumber, kBytes):
      request.cwd = reader.bytes();
      return true;
    case tag(wire::Request::kPathFieldNumber, kBytes):
      request.path = reader.bytes();
      return true;
    case tag(wire::Request::kSecondDirectoryFieldNumber, kVarint):
      request.second_directory = read_directory(reader);
      return true;
    case tag(wire::Request::kSecondPathFieldNumber, kBytes):
      request.second_path = reader.bytes();
      return true;
    default:
      break;
  }
  if (const CallFields* call = fields_of(field >> 3); call != nullptr && (field & 7) == kBytes) {
    return read_call(*call, reader, request);
  }
  // Every number up to the last is a known field's, and of another wire type here.
  if (field >> 3 <= wire::Request::kSecondPathFieldNumber) return false;
  reader.skip(field);
  return true;
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
