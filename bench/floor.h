// The floors: what brokering costs at least, hand-written without policy, checks or protobuf.
//
//   persistent   trap, one SEQPACKET socket for good, the fd back by SCM_RIGHTS
//   fresh        the same with a new socket pair per request, its end sent along
#pragma once

#include <sys/types.h>

namespace torno::bench {

enum class Channel { kPersistent, kFresh };

// Serves requests on `socket` until its peer is gone.
void serve_floor(int socket, Channel channel);

// Traps this process's calls and has them answered over `socket`.
void trap_into_floor(int socket, Channel channel);

// Traps this process's calls; the handler answers without a word to anybody: success, and for
// openat a dup(2) of a descriptor that is there.
void trap_alone();

}  // namespace torno::bench
