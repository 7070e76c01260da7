// What a file request asks, free of the wire: files knows no protobuf wire message.
#pragma once

#include <sys/types.h>

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

}  // namespace torno::files
