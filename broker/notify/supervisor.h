// Supervisor: the session of a process tree that a launcher started under a notify filter. The
// second transport beside session/session.h, over the same policy, files, network and audit: each
// call waits in the kernel, its arguments are read from the caller's memory, and the answer goes
// back through the kernel.
//
// The program needs no library of Torno's, and nothing that it does to itself changes what is asked
// here; which is why this is the wall, and the trap filter only the faster way.
//
// It has a thread of its own, which waits in the kernel for the next call and nowhere else: the
// kernel can then run it at once where the caller ran (Listener).
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "broker/filter/killed_calls.h"
#include "broker/notify/call.h"
#include "broker/notify/decode.h"
#include "broker/notify/numbers.h"
#include "broker/notify/tracer.h"
#include "broker/notify/watchdog.h"
#include "broker/policy/policy.h"
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
    // Ends everybody: a process that has to be killed cannot be.
    std::function<void()> end_all = {};
    // Follows the program, or is null; lives longer.
    Tracer* tracer = nullptr;
  };

  Supervisor(session::Services& services, Options options);

  // Answers until stop(), or until no process is left. On a thread of its own.
  void serve();
  // From another thread: returns when nobody is answered any more. Then closing the listener, which
  // the last owner does, makes every call fail (ENOSYS).
  void stop();

  // Calls that were refused; from any thread.
  std::uint64_t denials() const { return recorder_.denials(); }
  // For which the launcher's own child was killed; without a name: for none. From any thread.
  DecodedCall refused_call();

 private:
  struct Slow;

  bool begin();
  void take(const Notification& notification);
  void decide(Call& call, const Mediated& row);
  void perform_slowly(Call& call, const Mediated& row);
  void work(Slow& slow) const;
  void finish_slowly(Slow& slow);
  void finish(Call& call, const Mediated& row, files::Outcome& outcome);
  void give(const Call& call, const Mediated& row, files::Outcome& outcome);
  void discard(Fd& fd);
  void refuse(const Call& call);
  void kill(const Call& call);
  bool kill_and_look(const Call& call, const Fd& process);
  void trace(const std::function<void()>& job) const;

  session::Services& services_;
  const std::shared_ptr<const policy::PolicyStack> policy_;
  const std::shared_ptr<const Listener> listener_;  // slow calls answer by it too
  const filter::KilledCalls killed_calls_;
  const std::function<void()> end_all_;
  Tracer* const tracer_;
  Numbers numbers_;
  const pid_t program_;
  const bool holds_executables_;
  bool started_ = false;  // the program's first exec was let through
  std::mutex mutex_;      // of the following
  std::condition_variable served_;
  std::optional<pthread_t> serving_;
  bool stopping_ = false;
  DecodedCall refused_call_;
  session::Recorder recorder_;  // of the pool's threads too
  session::Closer::Lane closing_;
  Watchdog watchdog_;
  Texts texts_;
};

}  // namespace torno::notify
