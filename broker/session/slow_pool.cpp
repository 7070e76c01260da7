#include "broker/session/slow_pool.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "broker/session/interrupt.h"
#include "broker/session/turns.h"

namespace torno::session {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInterruptAgain{5};

}  // namespace

class SlowPool::Job {
 public:
  Job(pid_t peer, Work work, Time at_most)
      : peer_(peer), work_(std::move(work)), at_most_(at_most) {}

 private:
  friend class SlowPool;
  friend struct SlowPool::State;
  const pid_t peer_;
  Work work_;
  const Time at_most_;
  pthread_t thread_{};
  Clock::time_point deadline_ = Clock::time_point::max();
  bool cancelled_ = false;
};

struct SlowPool::State {
  using JobPtr = std::shared_ptr<Job>;

  std::mutex mutex;
  std::condition_variable work_came;
  std::condition_variable attention;  // for the thread that interrupts
  std::condition_variable changed;    // a thread ended
  Turns<JobPtr> turns{{kSharedSlowThreads, kReservedSlowThreads, kMaxSlowThreads}};
  std::vector<JobPtr> running;
  std::size_t workers = 0;    // threads that run jobs
  bool interrupting = false;  // a thread sends the signals
  bool stopping = false;

  void serve();
  void interrupt();
  void start_interrupting(const std::shared_ptr<State>& self);
};

// The life of one thread of the pool.
void SlowPool::State::serve() {
  std::unique_lock lock(mutex);
  while (true) {
    JobPtr job;
    work_came.wait(lock, [&] { return (job = turns.take()) != nullptr || stopping; });
    if (job == nullptr) break;
    job->thread_ = ::pthread_self();
    if (const Time at_most = job->at_most_) job->deadline_ = Clock::now() + *at_most;
    running.push_back(job);
    if (job->at_most_ || job->cancelled_) attention.notify_all();
    const bool cancelled = job->cancelled_;
    lock.unlock();
    job->work_(cancelled);
    job->work_ = nullptr;
    lock.lock();
    std::erase(running, job);
    turns.done(job->peer_);
  }
  --workers;
  attention.notify_all();
  changed.notify_all();
}

// The mutex keeps each thread alive and in its job while it is signalled.
void SlowPool::State::interrupt() {
  std::unique_lock lock(mutex);
  while (!stopping || workers > 0) {
    const auto now = Clock::now();
    auto next = Clock::time_point::max();
    for (const JobPtr& job : running) {
      const bool due = job->cancelled_ || job->deadline_ <= now;
      if (due) session::interrupt(job->thread_);
      next = std::min(next, due ? now + kInterruptAgain : job->deadline_);
    }
    if (next == Clock::time_point::max()) {
      attention.wait(lock);
    } else {
      attention.wait_until(lock, next);
    }
  }
  interrupting = false;
  changed.notify_all();
}

void SlowPool::State::start_interrupting(const std::shared_ptr<State>& self) {
  if (!interrupting) interrupting = start_thread([self] { self->interrupt(); });
  attention.notify_all();
}

SlowPool::SlowPool() : state_(std::make_shared<State>()) {
  prepare_interrupts();
}

SlowPool::~SlowPool() {
  drain(kDrainTime);
}

std::shared_ptr<SlowPool::Job> SlowPool::submit(pid_t peer, Work work, Time at_most) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (state.stopping || state.turns.of(peer) >= kMaxPeerSlowRequests) return nullptr;
  auto job = std::make_shared<Job>(peer, std::move(work), at_most);
  state.turns.add(peer, job);
  if (state.turns.wants_thread(peer, state.workers) &&
      start_thread([self = state_] { self->serve(); })) {
    ++state.workers;
  }
  if (state.workers == 0) {
    state.turns.remove(peer, job);
    return nullptr;
  }
  if (at_most) state.start_interrupting(state_);
  state.work_came.notify_one();
  return job;
}

void SlowPool::cancel(const std::shared_ptr<Job>& job) {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    job->cancelled_ = true;
    if (!state.turns.remove(job->peer_, job)) {
      state.start_interrupting(state_);
      return;
    }
  }
  job->work_(true);
  job->work_ = nullptr;
}

bool SlowPool::drain(std::chrono::milliseconds time) {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->turns.open();
  state_->turns.for_each_waiting([](const State::JobPtr& job) { job->cancelled_ = true; });
  for (const auto& job : state_->running) job->cancelled_ = true;
  state_->work_came.notify_all();
  if (state_->workers > 0) state_->start_interrupting(state_);
  state_->attention.notify_all();
  return state_->changed.wait_for(lock, time,
                                  [this] { return state_->workers == 0 && !state_->interrupting; });
}

}  // namespace torno::session
