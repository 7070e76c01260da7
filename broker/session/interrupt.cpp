#include "broker/session/interrupt.h"

#include <signal.h>

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

void interrupt(pthread_t thread) {
  ::pthread_kill(thread, kSignal);
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
  sigset_t held;
  sigset_t before;
  ::sigfillset(&held);
  ::sigdelset(&held, kSignal);
  ::pthread_sigmask(SIG_SETMASK, &held, &before);
  bool started = true;
  try {
    std::thread(std::move(life)).detach();
  } catch (const std::system_error&) {
    started = false;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace torno::session
