// Child: what happens between fork and exec. The launcher may have threads, so nothing here
// allocates, locks or uses libc's state: everything is made ready before.
//
//   launcher ── fork ── init, which stays: waits for everybody, says how the program ended, and
//                         │  leaves nobody behind
//                         └─ fork ── the program: the walls go up, the listener of its filter is
//                                    handed to the launcher, then exec
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "broker/launch/root.h"
#include "broker/session/walls.h"

namespace torno::launch {

// The steps, so that a failure can be told.
enum class Step : std::int32_t {
  kNone,
  kNamespaces,     // clone, uid_map, gid_map
  kProc,           // fsopen, fsmount
  kRoot,           // build_root()
  kOutliveNobody,  // PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, signalfd
  kSession,        // setsid, setpgid
  kDescriptors,
  kFork,
  kLimits,
  kCapabilities,
  kNoNewPrivs,
  kMdwe,
  kLandlock,
  kFilter,
  kExec,
};

// What the children say, each message one write(2) on a pipe.
struct Word {
  enum class Kind : std::int32_t {
    kProc,      // number: the descriptor of the namespace's own procfs, in init
    kFolder,    // number: the descriptor of a temporary folder, in init; in the plan's order
    kConfined,  // pid: the program's process, in its namespace; number: the listener's descriptor
    kFailed,    // step, number: an errno value
    kTimeOver,  // the program is being killed for it
    kEnded,     // number: the program's wait status
  };
  Kind kind = Kind::kFailed;
  Step step = Step::kNone;
  std::int32_t pid = 0;
  std::int32_t number = 0;
};

struct Plan {
  const char* path = nullptr;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  std::uint64_t namespaces = 0;    // CLONE_NEW*: what clone(2) is given for init
  const RootPlan* root = nullptr;  // built where there is a mount namespace
  uid_t user = 0;
  gid_t group = 0;
  std::span<const sock_filter> filter;
  int ruleset = -1;  // Landlock's; -1: this kernel has none
  bool refuse_executable_memory = false;
  std::span<const session::ResourceLimit> limits;
  std::uint64_t open_files = 0;  // RLIMIT_NOFILE, once the program's own descriptors are all it has
  std::uint64_t wall_time = 0;   // seconds; 0: no limit
  mode_t umask = 022;
  // Become standard input, output and error; above 2. -1: the launcher's own.
  std::array<int, 3> streams = {-1, -1, -1};
  int say = -1;    // where Words go
  int go_on = -1;  // an eventfd, written to once the launcher has the listener
  // The program's end of its trap session, which it finds as CONTROL_FD; -1: it has none.
  int control = -1;
  int launcher = -1;  // its pidfd: init ends when it does, and so does everybody
};

// A child of the calling process in the plan's namespaces, as fork(2): raw, since libc's may wait
// for a lock that another thread of the launcher holds. Its number, 0 in the child, or -1; and its
// pidfd. All signals must be held back, or the child would run the launcher's handlers. Its end
// sends none, and only who waits with __WALL or __WCLONE is told: the launcher may have children
// of its own, for which something else waits.
pid_t start_init(const Plan& plan, int& process);

// Says why a step failed, for people.
const char* name_of(Step step);

// The life of init, in the child of the launcher's fork. Descriptors from 3 on are closed but for
// those of the plan. SIGTERM, and the end of its time, make it kill everybody.
[[noreturn]] void run_init(const Plan& plan);

}  // namespace torno::launch
