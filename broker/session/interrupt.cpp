#include "broker/session/interrupt.h"

#include <system_error>
#include <thread>
#include <utility>

namespace torno::session {
namespace {

// No real-time signal: those get lost once processes of the same user have queued as many signals
// as RLIMIT_SIGPENDING permits. The broker asks for no out-of-band data, which this one is for.
constexpr int kSignal = SIGURG;

void ignore_signal(int) {}

sigset_t only_it() {
  sigset_t signal;
  ::sigemptyset(&signal);
  ::sigaddset(&signal, kSignal);
  return signal;
}

}  // namespace

void prepare_interrupts() {
  struct sigaction action{};
  action.sa_handler = ignore_signal;  // and no SA_RESTART: that is the point
  ::sigaction(kSignal, &action, nullptr);
}

bool may_prepare_interrupts() {
  struct sigaction action{};
  if (::sigaction(kSignal, nullptr, &action) != 0) return false;
  if ((action.sa_flags & SA_SIGINFO) != 0) return false;
  return action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN ||
         action.sa_handler == ignore_signal;
}

InterruptsAlone::InterruptsAlone() {
  sigset_t held;
  ::sigfillset(&held);
  ::sigdelset(&held, kSignal);
  ::pthread_sigmask(SIG_SETMASK, &held, &before_);
}

InterruptsAlone::~InterruptsAlone() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void interrupt(pthread_t thread) {
  ::pthread_kill(thread, kSignal);
}

int interrupt_signal() {
  return kSignal;
}

void allow_interrupts() {
  const sigset_t signal = only_it();
  ::pthread_sigmask(SIG_UNBLOCK, &signal, nullptr);
}

NoInterrupts::NoInterrupts() {
  const sigset_t signal = only_it();
  ::pthread_sigmask(SIG_BLOCK, &signal, &before_);
}

NoInterrupts::~NoInterrupts() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool start_thread(std::function<void()> life) {
  const InterruptsAlone alone;
  try {
    std::thread(std::move(life)).detach();
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

}  // namespace torno::session
