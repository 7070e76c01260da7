#include "broker/session/slow_pool.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "broker/session/interrupt.h"

namespace torno::session {
namespace {

constexpr std::chrono::milliseconds kInterruptAgain{5};

// False when the kernel has no thread left to give.
bool start_thread(std::function<void()> life) {
  try {
    std::thread(std::move(life)).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

class SlowPool::Job {
 public:
  explicit Job(Work work) : work_(std::move(work)) {}

 private:
  friend class SlowPool;
  friend struct SlowPool::State;
  Work work_;
  pthread_t thread_{};
  bool running_ = false;
  bool cancelled_ = false;
};

struct SlowPool::State {
  std::mutex mutex;
  std::condition_variable work_came;
  std::condition_variable changed;  // a job was cancelled, a job or a thread ended
  std::deque<std::shared_ptr<Job>> waiting;
  std::vector<std::shared_ptr<Job>> running;
  std::size_t workers = 0;    // threads that run jobs: never fewer than jobs
  bool interrupting = false;  // a thread is sending the signals
  bool stopping = false;

  void serve();
  void interrupt();
  void start_interrupting(const std::shared_ptr<State>& self);
  bool any_cancelled() const {
    return std::ranges::any_of(running, [](const auto& job) { return job->cancelled_; });
  }
};

// The life of one thread of the pool.
void SlowPool::State::serve() {
  std::unique_lock lock(mutex);
  while (true) {
    work_came.wait(lock, [this] { return stopping || !waiting.empty(); });
    if (waiting.empty()) break;
    const std::shared_ptr<Job> job = std::move(waiting.front());
    waiting.pop_front();
    job->thread_ = ::pthread_self();
    job->running_ = true;
    running.push_back(job);
    const bool cancelled = job->cancelled_;
    lock.unlock();
    job->work_(cancelled);
    job->work_ = nullptr;
    lock.lock();
    job->running_ = false;
    std::erase(running, job);
    changed.notify_all();
  }
  --workers;
  changed.notify_all();
}

// Sends the signals for as long as a cancelled job runs. The mutex keeps each thread alive and
// in its job while it is signalled.
void SlowPool::State::interrupt() {
  std::unique_lock lock(mutex);
  while (any_cancelled()) {
    for (const auto& job : running) {
      if (job->cancelled_) session::interrupt(job->thread_);
    }
    changed.wait_for(lock, kInterruptAgain, [this] { return !any_cancelled(); });
  }
  interrupting = false;
  changed.notify_all();
}

void SlowPool::State::start_interrupting(const std::shared_ptr<State>& self) {
  if (interrupting || !any_cancelled()) return;
  interrupting = start_thread([self] { self->interrupt(); });
}

SlowPool::SlowPool() : state_(std::make_shared<State>()) {
  prepare_interrupts();
}

SlowPool::~SlowPool() {
  drain(kDrainTime);
}

std::shared_ptr<SlowPool::Job> SlowPool::submit(Work work) {
  const std::lock_guard lock(state_->mutex);
  const std::size_t jobs = state_->waiting.size() + state_->running.size();
  if (state_->stopping || jobs >= kMaxThreads) return nullptr;
  if (jobs + 1 > state_->workers) {
    if (!start_thread([state = state_] { state->serve(); })) return nullptr;
    ++state_->workers;
  }
  auto job = std::make_shared<Job>(std::move(work));
  state_->waiting.push_back(job);
  state_->work_came.notify_one();
  return job;
}

void SlowPool::cancel(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(state_->mutex);
  job->cancelled_ = true;
  state_->start_interrupting(state_);
}

bool SlowPool::drain(std::chrono::milliseconds time) {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  for (const auto& job : state_->waiting) job->cancelled_ = true;
  for (const auto& job : state_->running) job->cancelled_ = true;
  state_->work_came.notify_all();
  state_->start_interrupting(state_);
  return state_->changed.wait_for(lock, time,
                                  [this] { return state_->workers == 0 && !state_->interrupting; });
}

}  // namespace torno::session
