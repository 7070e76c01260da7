// Datagram: one message of the wire and the descriptors beside it, received or sent by one system
// call. Every descriptor that arrives is owned before anything is looked at, so that a hostile
// message leaks none, whatever else is wrong with it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "broker/base/fd.h"

namespace torno::session {

struct Datagram {
  enum class Status {
    kMessage,
    kNothing,  // not yet
    kClosed,   // the other side is gone
    kBroken,   // `broken` says how the sender broke the protocol
  };

  // More than one descriptor is never right.
  static constexpr std::size_t kMaxFds = 2;

  Status status = Status::kNothing;
  const char* broken = nullptr;
  std::string_view bytes;
  std::array<Fd, kMaxFds> fds;
  std::size_t fd_count = 0;
  std::vector<Fd> surplus;  // what came beyond those
  bool fd_lost = false;     // the broker has no free descriptor: one came and could not be taken
  pid_t client = 0;         // of the sending process; 0: not in the broker's pid namespace
};

// Never blocks. `bytes` of the result lies in `buffer`.
Datagram receive(int socket, std::span<char> buffer);

// Never blocks: 0 or an errno value (EAGAIN: no room yet).
int send(int socket, std::string_view bytes, std::span<const int> fds);

// Has each message say which process sent it.
int pass_credentials(int socket);

}  // namespace torno::session
