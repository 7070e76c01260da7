// Fields: protobuf's encoding of single fields, for the messages of every call. nanopb
// walks its descriptors for them, which takes a microsecond each; the rich messages stay its own.
// Async-signal-safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torno::wire {

enum class FieldType : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr std::uint64_t tag(unsigned field, FieldType type) {
  return std::uint64_t{field} << 3 | static_cast<unsigned>(type);
}

// Writes to memory that the caller has made large enough.
class FieldWriter {
 public:
  explicit FieldWriter(unsigned char* to) : at_(to) {}

  unsigned char* end() const { return at_; }

  void byte(unsigned char value) { *at_++ = value; }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at_++ = static_cast<unsigned char>(value | 0x80);
    *at_++ = static_cast<unsigned char>(value);
  }
  // proto3: a zero is not sent.
  void number(unsigned field, std::uint64_t value) {
    if (value == 0) return;
    varint(tag(field, FieldType::kVarint));
    varint(value);
  }
  void fixed32(unsigned field, std::uint32_t value) {
    varint(tag(field, FieldType::kFixed32));
    for (int shift = 0; shift < 32; shift += 8) *at_++ = static_cast<unsigned char>(value >> shift);
  }
  // The bytes themselves follow.
  void bytes_head(unsigned field, std::size_t size) {
    varint(tag(field, FieldType::kBytes));
    varint(size);
  }

 private:
  unsigned char* at_;
};

struct Bytes {
  const unsigned char* data = nullptr;  // null: the field is not there
  std::size_t size = 0;
};

// Reads one field after the other; a broken one ends it.
class FieldReader {
 public:
  explicit FieldReader(Bytes message) : at_(message.data), end_(message.data + message.size) {}

  // False at the end, and at a broken field.
  bool next();
  bool is_broken() const { return broken_; }

  unsigned field() const { return field_; }
  // Of a varint or fixed field; 0 for another.
  std::uint64_t value() const { return value_; }
  // Of a bytes field; empty for another.
  Bytes bytes() const { return bytes_; }

 private:
  bool read_varint(std::uint64_t& value);
  bool read_fixed(std::size_t size);
  bool read_bytes();
  bool read_content(FieldType type);

  const unsigned char* at_;
  const unsigned char* end_;
  unsigned field_ = 0;
  std::uint64_t value_ = 0;
  Bytes bytes_;
  bool broken_ = false;
};

}  // namespace torno::wire
