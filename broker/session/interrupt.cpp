#include "broker/session/interrupt.h"

#include <signal.h>

namespace torno::session {
namespace {

// No real-time signal: those get lost once processes of the same user have queued as many signals
// as RLIMIT_SIGPENDING permits. The broker asks for no out-of-band data, which this one is for.
constexpr int kSignal = SIGURG;

void ignore_signal(int) {}

}  // namespace

void prepare_interrupts() {
  struct sigaction action{};
  action.sa_handler = ignore_signal;  // and no SA_RESTART: that is the point
  ::sigaction(kSignal, &action, nullptr);
}

void interrupt(pthread_t thread) {
  ::pthread_kill(thread, kSignal);
}

}  // namespace torno::session
