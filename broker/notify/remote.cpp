#include "broker/notify/remote.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdint>

namespace torno::notify {
namespace {

constexpr unsigned long kSyscallInstruction = 2;  // bytes: "syscall" is 0f 05
constexpr int kSyscallStop = SIGTRAP | 0x80;      // PTRACE_O_TRACESYSGOOD

template <typename Data>
bool trace(__ptrace_request request, pid_t thread, std::uintptr_t address, Data data) {
  return ::ptrace(request, thread, address, data) == 0;
}

// A thread held by this one, from attach() to its end.
class Held {
 public:
  explicit Held(pid_t thread) : thread_(thread) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { let_go(); }

  // Its next way back to user mode stops it.
  bool attach() {
    attached_ = trace(PTRACE_SEIZE, thread_, 0, PTRACE_O_TRACESYSGOOD);
    return attached_ && trace(PTRACE_INTERRUPT, thread_, 0, 0);
  }

  // Waits until it stands still; false: it is gone.
  bool wait() {
    for (;;) {
      const pid_t waited = ::waitpid(thread_, &status_, __WALL);
      if (waited == thread_) break;
      if (waited < 0 && errno != EINTR) return attached_ = false;
      // The pool wants its thread back: user code may run for ever before its next call.
      trace(PTRACE_INTERRUPT, thread_, 0, 0);
    }
    stopped_ = WIFSTOPPED(status_);
    if (!stopped_) attached_ = false;
    return stopped_;
  }

  // What it was about to do is kept; no signal comes between.
  bool begin() {
    if (!trace(PTRACE_GETREGS, thread_, 0, &before_)) return false;
    if (!trace(PTRACE_GETSIGMASK, thread_, sizeof mask_, &mask_)) return false;
    const std::uint64_t all = ~std::uint64_t{0};
    begun_ = trace(PTRACE_SETSIGMASK, thread_, sizeof all, &all);
    return begun_;
  }

  // Its result, as the thread sees it; nothing but -EINTR when it did something else instead.
  long call(long number, unsigned long argument) {
    user_regs_struct registers = before_;
    registers.orig_rax = ~0ULL;  // nothing is restarted
    registers.rax = static_cast<unsigned long long>(number);
    registers.rdi = argument;
    registers.rip -= kSyscallInstruction;
    if (!trace(PTRACE_SETREGS, thread_, 0, &registers)) return -EINTR;
    if (!next_stop() || !trace(PTRACE_GETREGS, thread_, 0, &registers)) return -EINTR;
    if (registers.orig_rax != static_cast<unsigned long long>(number)) return -EINTR;
    if (!next_stop() || !trace(PTRACE_GETREGS, thread_, 0, &registers)) return -EINTR;
    return static_cast<long>(registers.rax);
  }

  void set_result(long result) { before_.rax = static_cast<unsigned long long>(result); }

 private:
  // The entry or the end of a system call; false when something else came first.
  bool next_stop() {
    stopped_ = false;
    return trace(PTRACE_SYSCALL, thread_, 0, 0) && wait() && WSTOPSIG(status_) == kSyscallStop;
  }

  void let_go() {
    if (!attached_) return;
    if (!stopped_ && (!trace(PTRACE_INTERRUPT, thread_, 0, 0) || !wait())) return;
    if (begun_) {
      before_.orig_rax = ~0ULL;
      trace(PTRACE_SETREGS, thread_, 0, &before_);
      trace(PTRACE_SETSIGMASK, thread_, sizeof mask_, &mask_);
    }
    // A signal that cannot be held back is delivered now.
    const int signal = WSTOPSIG(status_);
    const bool delivers = status_ >> 16 == 0 && signal != kSyscallStop && signal != SIGTRAP;
    trace(PTRACE_DETACH, thread_, 0, static_cast<std::uintptr_t>(delivers ? signal : 0));
  }

  const pid_t thread_;
  bool attached_ = false;
  bool stopped_ = false;
  bool begun_ = false;
  int status_ = 0;
  user_regs_struct before_{};
  std::uint64_t mask_ = 0;
};

}  // namespace

bool change_directory(const Listener& listener, const Notification& call, int directory,
                      int& error) {
  const int number = listener.add(call.id, directory);
  if (number < 0) {
    error = -number;
    return false;
  }
  Held thread(call.thread);
  // Held before it is asked whether it is still the one: the number cannot become another's then.
  if (!thread.attach() || !listener.is_waiting(call.id)) {
    error = EACCES;
    return false;
  }
  if (!listener.answer(call.id, -EINTR)) return true;
  if (!thread.wait() || !thread.begin()) return true;
  const auto argument = static_cast<unsigned long>(number);
  const long result = thread.call(SYS_fchdir, argument);
  thread.set_result(result);
  thread.call(SYS_close, argument);
  return true;
}

}  // namespace torno::notify
