// Kind: every message and every request that a row of the dispatch table stands for.
#pragma once

#include <cstdint>

namespace torno::session {

enum class Kind : std::uint8_t {
  kUnknown,
  kHello,
  kNewChannel,
  kSealed,
  kOpen,
  kStat,
  kAccess,
  kReadlink,
  kConnect,
  kMkdir,
  kMknod,
  kUnlink,
  kRmdir,
  kRename,
  kLink,
  kSymlink,
  kChmod,
  kChown,
  kUtimensat,
  kTruncate,
  kStatfs,
  kChdir,
  kExecve,
  kNarrow,
  kCancel,
};

// "openat", "connect", … for people.
const char* name_of(Kind kind);

}  // namespace torno::session
