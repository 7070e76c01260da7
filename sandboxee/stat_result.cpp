// StatResult, the one rich message that programs ask for by the thousand: read field by field,
// since nanopb takes microseconds for its 24.
#include "sandboxee/message.h"

namespace torno::wire {
namespace {

std::uint32_t word(const FieldReader& reader) {
  return static_cast<std::uint32_t>(reader.value());
}

// sint64 of protobuf.
std::int64_t seconds(const FieldReader& reader) {
  const std::uint64_t value = reader.value();
  return static_cast<std::int64_t>((value >> 1) ^ (0U - (value & 1U)));
}

void take(const FieldReader& reader, torno_wire_StatResult& stat) {
  switch (reader.field()) {
    case torno_wire_StatResult_mask_tag:
      stat.mask = word(reader);
      break;
    case torno_wire_StatResult_blksize_tag:
      stat.blksize = word(reader);
      break;
    case torno_wire_StatResult_attributes_tag:
      stat.attributes = reader.value();
      break;
    case torno_wire_StatResult_nlink_tag:
      stat.nlink = word(reader);
      break;
    case torno_wire_StatResult_uid_tag:
      stat.uid = word(reader);
      break;
    case torno_wire_StatResult_gid_tag:
      stat.gid = word(reader);
      break;
    case torno_wire_StatResult_mode_tag:
      stat.mode = word(reader);
      break;
    case torno_wire_StatResult_ino_tag:
      stat.ino = reader.value();
      break;
    case torno_wire_StatResult_size_tag:
      stat.size = reader.value();
      break;
    case torno_wire_StatResult_blocks_tag:
      stat.blocks = reader.value();
      break;
    case torno_wire_StatResult_attributes_mask_tag:
      stat.attributes_mask = reader.value();
      break;
    case torno_wire_StatResult_atime_sec_tag:
      stat.atime_sec = seconds(reader);
      break;
    case torno_wire_StatResult_atime_nsec_tag:
      stat.atime_nsec = word(reader);
      break;
    case torno_wire_StatResult_btime_sec_tag:
      stat.btime_sec = seconds(reader);
      break;
    case torno_wire_StatResult_btime_nsec_tag:
      stat.btime_nsec = word(reader);
      break;
    case torno_wire_StatResult_ctime_sec_tag:
      stat.ctime_sec = seconds(reader);
      break;
    case torno_wire_StatResult_ctime_nsec_tag:
      stat.ctime_nsec = word(reader);
      break;
    case torno_wire_StatResult_mtime_sec_tag:
      stat.mtime_sec = seconds(reader);
      break;
    case torno_wire_StatResult_mtime_nsec_tag:
      stat.mtime_nsec = word(reader);
      break;
    case torno_wire_StatResult_rdev_major_tag:
      stat.rdev_major = word(reader);
      break;
    case torno_wire_StatResult_rdev_minor_tag:
      stat.rdev_minor = word(reader);
      break;
    case torno_wire_StatResult_dev_major_tag:
      stat.dev_major = word(reader);
      break;
    case torno_wire_StatResult_dev_minor_tag:
      stat.dev_minor = word(reader);
      break;
    case torno_wire_StatResult_mnt_id_tag:
      stat.mnt_id = reader.value();
      break;
    default:  // of a later minor version
      break;
  }
}

}  // namespace

bool decode_stat(Bytes message, torno_wire_StatResult& stat) {
  if (message.data == nullptr) return false;
  stat = {};
  FieldReader reader(message);
  while (reader.next()) take(reader, stat);
  return !reader.is_broken();
}

}  // namespace torno::wire
