// Ending: how a launched program ended, for the exit code of `torno run` and for people.
#pragma once

#include <cstdint>
#include <string>

#include "broker/launch/program.h"
#include "broker/notify/decode.h"
#include "proto/audit.pb.h"

namespace torno::launch {

enum class How : std::uint8_t {
  kExited,
  kSignalled,    // by a signal that Torno knows no more of
  kTimedOut,     // killed by the launcher, for its time was over
  kOutOfMemory,  // killed by the kernel, for its memory was used up
  kRefusedCall,  // killed by the filter
  kNotStarted,
};

struct Ending {
  How how = How::kExited;
  int number = 0;      // the status it exited with; the signal; what `torno run` exits with
  std::string detail;  // the time or memory as the policy writes it; why it was not started
  notify::DecodedCall call = {};  // that was refused
};

// What the launcher knows beside the status. Empty texts: nothing of the kind happened.
struct Known {
  std::string time;    // "10s": that was over when the launcher killed it
  std::string memory;  // "512M": that was used up when the kernel killed it
  // For which the supervisor killed it. It was SIGKILL, which nobody can hold back; what is told is
  // SIGSYS, which a filter's own kill is.
  notify::DecodedCall refused_call = {};
};

// `wait_status` is what waitpid(2) gave of a process that has ended. What is known counts where the
// signal is the one that it would have caused: a program may end by itself at the same moment.
Ending ending_of(int wait_status, const Known& known);

Ending ending_of(NotStarted not_started);

// Torno itself failed: 125.
Ending ending_of_failure(std::string message);

// The program's status; 128 + N when signal N ended it; 125, 126 or 127.
int exit_code(const Ending& ending);

// As audit.proto has it.
audit::ProgramEnded::How audit_name(const Ending& ending);

// One line of printable ASCII: "ended by SIGSEGV (segmentation fault)".
std::string describe(const Ending& ending);

}  // namespace torno::launch
