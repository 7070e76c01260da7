// What a file request asks, free of the wire: files knows no protobuf wire message.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace torno::files {

// Where the path starts, and whose /proc/self it means.
struct Place {
  enum class Base {
    kAbsolute,  // path begins with '/'
    kCwd,       // at `cwd`, the client's word for its working directory
    kFd,        // at directory `fd` that the client sent
    kSelfFd,    // path names the client's own descriptor (/proc/self/fd/N, /dev/stdin …): `fd`
  };
  Base base = Base::kAbsolute;
  std::string_view path;  // no NUL inside, at most MAX_PATH bytes
  std::string_view cwd;
  int fd = -1;       // borrowed
  pid_t client = 0;  // the process's number in `proc`
  // The root of the procfs of the client's pid namespace, borrowed. -1: it is the broker's own.
  int proc = -1;
};

struct OpenRequest {
  Place place;
  std::uint64_t flags = 0;    // openat2's open_how.flags
  std::uint32_t mode = 0;     // already masked by the client's umask
  std::uint64_t resolve = 0;  // openat2's open_how.resolve
};

struct StatRequest {
  Place place;
  std::uint32_t flags = 0;
  std::uint32_t mask = 0;
};

struct AccessRequest {
  Place place;
  std::uint32_t mode = 0;
  std::uint32_t flags = 0;
};

struct ReadlinkRequest {
  Place place;
  std::uint32_t size = 0;
};

// mkdir; mknod, whose mode holds the type too.
struct MakeRequest {
  Place place;
  std::uint32_t mode = 0;  // already masked by the client's umask
};

struct RemoveRequest {
  Place place;
  bool directory = false;  // rmdir
};

struct RenameRequest {
  Place from;
  Place to;
  std::uint32_t flags = 0;
};

struct LinkRequest {
  Place from;
  Place to;
  std::uint32_t flags = 0;
};

struct SymlinkRequest {
  std::string_view text;  // what it will hold
  Place place;
};

// For all that follow: with AT_EMPTY_PATH and an empty path the client's own descriptor is meant.
struct ChmodRequest {
  Place place;
  std::uint32_t mode = 0;
  std::uint32_t flags = 0;
};

struct ChownRequest {
  Place place;
  std::uint32_t user = 0;  // ~0: stays
  std::uint32_t group = 0;
  std::uint32_t flags = 0;
};

struct TimesRequest {
  Place place;
  std::array<timespec, 2> times{};  // as of utimensat(2)
  std::uint32_t flags = 0;
};

struct TruncateRequest {
  Place place;
  std::int64_t size = 0;
};

struct StatfsRequest {
  Place place;
};

}  // namespace torno::files
