// Interrupt: makes a system call that another thread waits in fail with EINTR. One signal may come
// before the call; whoever wants the thread back sends it again and again.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <functional>

namespace torno::session {

// Before the first interrupt: gives the signal a handler that does nothing.
void prepare_interrupts();

void interrupt(pthread_t thread);
int interrupt_signal();

// For a thread that start_thread() did not start: it does not hold the signal back.
void allow_interrupts();

// Holds them back from this thread for its life, where a call must not be left half done.
class NoInterrupts {
 public:
  NoInterrupts();
  ~NoInterrupts();
  NoInterrupts(const NoInterrupts&) = delete;
  NoInterrupts& operator=(const NoInterrupts&) = delete;

 private:
  sigset_t before_;
};

// Is the signal's action the default one, or that of prepare_interrupts()? Else it is somebody
// else's, who would lose it.
bool may_prepare_interrupts();

// While it lives, threads that this one starts take no other signal: those are for the threads that
// were there before.
class InterruptsAlone {
 public:
  InterruptsAlone();
  ~InterruptsAlone();
  InterruptsAlone(const InterruptsAlone&) = delete;
  InterruptsAlone& operator=(const InterruptsAlone&) = delete;

 private:
  sigset_t before_;
};

// A thread, detached, that takes no other signal: those are for the threads that outlive it. False
// when the kernel has no thread left to give.
bool start_thread(std::function<void()> life);

}  // namespace torno::session
