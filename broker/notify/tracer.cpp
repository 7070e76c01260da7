#include "broker/notify/tracer.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>

#include "broker/session/interrupt.h"

namespace torno::notify {
namespace {

// The first interrupt may come before the wait that it is to end.
constexpr std::chrono::milliseconds kInterruptAgain{5};

// What waits within a job waits for a thread, which may not do what it is made to.
constexpr std::chrono::milliseconds kInterruptJob{100};

constexpr int kSyscallStop = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD
constexpr std::uintptr_t kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                                    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;

void let_go(__ptrace_request request, pid_t thread, int signal) {
  // It may be gone, and then its end is told.
  ::ptrace(request, thread, nullptr, static_cast<std::uintptr_t>(signal));
}

bool stops(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

// Those whose default action the kernel lists as a core dump, of what goes wrong in a program.
bool is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
         signal == SIGABRT || signal == SIGSYS || signal == SIGTRAP;
}

// Is its action the default one? The kernel resets that before it delivers a fault that is held
// back or ignored.
bool is_fatal(pid_t thread, int signal) {
  if (!is_crash(signal)) return false;
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigIgn:") && !line.starts_with("SigCgt:")) continue;
    const std::uint64_t set = std::stoull(line.substr(7), nullptr, 16);
    if ((set >> (signal - 1) & 1) != 0) return false;
  }
  return true;
}

}  // namespace

Tracer::Tracer(Look look) : look_(std::move(look)) {}

Tracer::~Tracer() {
  stop();
}

bool Tracer::start(pid_t process) {
  const session::InterruptsAlone alone;
  thread_ = std::thread([this, process] { follow(process); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ != State::kStarting; });
  return !failed_;
}

void Tracer::follow(pid_t process) {
  session::allow_interrupts();
  {
    const std::lock_guard lock(mutex_);
    failed_ = ::ptrace(PTRACE_SEIZE, process, nullptr, kOptions) != 0;
    state_ = State::kRunning;
    changed_.notify_all();
  }
  while (!failed_ && step()) {
  }
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kEnded;
  }
  work_off();
  changed_.notify_all();
}

// False: nobody is left.
bool Tracer::step() {
  work_off();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
  }
  int status = 0;
  // Not the children of the process that this thread is of: others wait for those.
  const pid_t thread = ::waitpid(-1, &status, __WALL | __WNOTHREAD);
  if (thread < 0) return errno == EINTR;
  if (WIFSTOPPED(status)) take(thread, status);
  return true;
}

void Tracer::take(pid_t thread, int status) {
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  if (event == PTRACE_EVENT_STOP && stops(signal)) {
    let_go(PTRACE_LISTEN, thread, 0);  // stays stopped until it is told to continue
  } else if (event != 0 || signal == kSyscallStop) {
    let_go(PTRACE_CONT, thread, 0);
  } else {
    std::function<void()> after;
    if (is_fatal(thread, signal)) after = look_(thread, signal);
    let_go(PTRACE_CONT, thread, signal);
    if (after) after();
  }
}

void Tracer::work_off() {
  std::unique_lock lock(mutex_);
  while (!jobs_.empty()) {
    Job* const job = jobs_.back();
    jobs_.pop_back();
    job->taken = true;
    lock.unlock();
    job->work();
    lock.lock();
    job->done = true;
    changed_.notify_all();
  }
}

void Tracer::run(const std::function<void()>& work) {
  Job job{work};
  std::unique_lock lock(mutex_);
  if (state_ != State::kRunning) {
    lock.unlock();
    work();
    return;
  }
  jobs_.push_back(&job);
  while (!job.done) {
    session::interrupt(thread_.native_handle());
    changed_.wait_for(lock, job.taken ? kInterruptJob : kInterruptAgain);
  }
}

void Tracer::stop() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    while (state_ == State::kRunning) {
      session::interrupt(thread_.native_handle());
      changed_.wait_for(lock, kInterruptAgain);
    }
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace torno::notify
