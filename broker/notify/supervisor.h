// Supervisor: the session of a process tree that a launcher started under a notify filter. The
// second transport beside session/session.h, over the same policy, files, network and audit: each
// call waits in the kernel, its arguments are read from the caller's memory, and the answer goes
// back through the kernel. It lives on one io thread's loop.
//
// The program needs no library of Torno's, and nothing that it does to itself changes what is asked
// here; which is why this is the wall, and the trap filter only the faster way.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/notify/call.h"
#include "broker/notify/numbers.h"
#include "broker/notify/watchdog.h"
#include "broker/policy/policy.h"
#include "broker/session/loop.h"
#include "broker/session/recorder.h"
#include "broker/session/services.h"

namespace torno::notify {

class Supervisor : public std::enable_shared_from_this<Supervisor> {
 public:
  struct Options {
    policy::PolicyPtr policy;
    Fd listener;
    Fd proc;  // the root of the procfs of its pid namespace, where that is not the broker's own
    // The launcher's own child, whose first exec starts the program: that needs no rule.
    pid_t program = 0;
    uid_t user = 0;
    // Does Landlock's EXECUTE right hold whatever is executed? Without it nothing is but the
    // program.
    bool holds_executables = false;
  };

  Supervisor(session::Loop& loop, session::Services& services, Options options,
             std::function<void()> on_end);

  // On the loop's thread. False when the kernel watches no more descriptors; nothing is answered
  // then, and closing the listener makes every call fail (ENOSYS).
  bool start();
  // Answers nobody any more. `on_end` is called once, also when no process is left.
  void end();

 private:
  struct Slow;

  void ready(session::Loop::Ready what);
  void take();
  void decide(Call& call, const Mediated& row);
  void perform_slowly(Call& call, const Mediated& row);
  void work(Slow& slow) const;
  void finish(Call& call, const Mediated& row, files::Outcome& outcome);
  void give(const Call& call, const Mediated& row, files::Outcome& outcome);
  void discard(Fd& fd);
  void refuse(const Call& call);

  session::Loop& loop_;
  session::Services& services_;
  const std::shared_ptr<const policy::PolicyStack> policy_;
  const std::shared_ptr<const Listener> listener_;  // slow calls answer by it too
  Numbers numbers_;
  const pid_t program_;
  const bool holds_executables_;
  bool started_ = false;  // the program's first exec was let through
  std::function<void()> on_end_;
  std::optional<session::Loop::Handle> watch_;
  session::Recorder recorder_;
  session::Closer::Lane closing_;
  Watchdog watchdog_;
  Texts texts_;
};

}  // namespace torno::notify
