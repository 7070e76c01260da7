#include "sandboxee/fields.h"

namespace torno::wire {

bool FieldReader::next() {
  if (broken_ || at_ == end_) return false;
  std::uint64_t key = 0;
  value_ = 0;
  bytes_ = {};
  broken_ = !read_varint(key) || !read_content(static_cast<FieldType>(key & 7));
  field_ = static_cast<unsigned>(key >> 3);
  return !broken_;
}

bool FieldReader::read_content(FieldType type) {
  switch (type) {
    case FieldType::kVarint:
      return read_varint(value_);
    case FieldType::kFixed64:
      return read_fixed(8);
    case FieldType::kBytes:
      return read_bytes();
    case FieldType::kFixed32:
      return read_fixed(4);
  }
  return false;
}

bool FieldReader::read_varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; at_ < end_ && shift < 64; shift += 7) {
    const unsigned char byte = *at_++;
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool FieldReader::read_fixed(std::size_t size) {
  if (static_cast<std::size_t>(end_ - at_) < size) return false;
  for (std::size_t i = 0; i < size; ++i) value_ |= std::uint64_t{*at_++} << (8 * i);
  return true;
}

bool FieldReader::read_bytes() {
  std::uint64_t size = 0;
  if (!read_varint(size) || size > static_cast<std::size_t>(end_ - at_)) return false;
  bytes_ = {at_, static_cast<std::size_t>(size)};
  at_ += size;
  return true;
}

}  // namespace torno::wire
