#include "broker/notify/stop.h"

#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "broker/session/interrupt.h"

namespace torno::notify {
namespace {

// After which a stop is looked for that somebody else was told of.
constexpr long kTick = 5'000'000;  // nanoseconds
constexpr int kPoll = 1;           // milliseconds

constexpr int kSyscallStop = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

// What waitpid(2) would have said of a thread that stands still; false: it does not.
bool look(pid_t thread, int& status) {
  siginfo_t info{};
  if (::ptrace(PTRACE_GETSIGINFO, thread, nullptr, &info) != 0) return false;
  const bool is_event =
      info.si_code >> 8 == PTRACE_EVENT_STOP && (info.si_code & 0xff) == info.si_signo;
  const bool is_syscall = info.si_signo == SIGTRAP && info.si_code == kSyscallStop;
  status = (is_event || is_syscall ? info.si_code : info.si_signo) << 8 | 0x7f;
  return true;
}

}  // namespace

StopWait::StopWait() {
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = session::interrupt_signal();
  event._sigev_un._tid = ::gettid();
  ticks_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  const itimerspec every{{0, kTick}, {0, kTick}};
  if (ticks_) ::timer_settime(timer_, 0, &every, nullptr);
}

StopWait::~StopWait() {
  if (ticks_) ::timer_delete(timer_);
}

bool StopWait::wait(pid_t thread, int& status, const std::function<void()>& ask) const {
  for (;;) {
    // Without a timer nothing would end a wait for what somebody else was told of.
    const int flags = __WALL | (ticks_ ? 0 : WNOHANG);
    const pid_t waited = ::waitpid(thread, &status, flags);
    if (waited == thread) return true;
    if (waited < 0 && errno != EINTR) return false;
    if (look(thread, status)) return true;
    if (waited == 0) {
      if (::poll(nullptr, 0, kPoll) == 0) continue;
    }
    ask();
  }
}

}  // namespace torno::notify
