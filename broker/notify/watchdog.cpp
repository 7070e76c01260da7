#include "broker/notify/watchdog.h"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <utility>

#include "broker/notify/target.h"
#include "broker/session/interrupt.h"

namespace torno::notify {
namespace {

// How late a signal may come: a person at a keyboard does not notice, and looking costs a file read
// for each slow call.
constexpr std::chrono::milliseconds kLookAgain{20};

}  // namespace

struct Watchdog::State {
  struct Watched {
    std::weak_ptr<session::SlowPool::Job> job;
    std::shared_ptr<const Listener> listener;
    std::uint64_t id;
    pid_t thread;
    bool has_signal = false;  // when it was last looked at
  };

  explicit State(session::SlowPool& slow_pool) : pool(slow_pool) {}

  std::mutex mutex;
  std::condition_variable changed;
  session::SlowPool& pool;
  std::list<Watched> watched;
  bool running = false;
  bool stopping = false;

  void run();
  bool is_over(Watched& each) const;
};

// A signal for the whole process may be another thread's, which takes it at once: only one that
// still waits is this thread's.
bool Watchdog::State::is_over(Watched& each) const {
  const auto job = each.job.lock();
  if (job == nullptr) return true;
  const bool signalled = Target(each.thread).has_signal();
  const bool twice = signalled && each.has_signal;
  each.has_signal = signalled;
  if (!twice && each.listener->is_waiting(each.id)) return false;
  pool.cancel(job);
  return true;
}

void Watchdog::State::run() {
  std::unique_lock lock(mutex);
  while (!stopping && !watched.empty()) {
    changed.wait_for(lock, kLookAgain);
    if (stopping) break;
    watched.remove_if([this](Watched& each) { return is_over(each); });
  }
  running = false;
  changed.notify_all();
}

Watchdog::Watchdog(session::SlowPool& pool) : state_(std::make_shared<State>(pool)) {}

Watchdog::~Watchdog() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  state_->changed.wait(lock, [this] { return !state_->running; });
}

bool Watchdog::watch(const std::shared_ptr<session::SlowPool::Job>& job,
                     std::shared_ptr<const Listener> listener, std::uint64_t id, pid_t thread) {
  const std::lock_guard lock(state_->mutex);
  state_->watched.push_back({job, std::move(listener), id, thread});
  if (state_->running) return true;
  state_->running = session::start_thread([state = state_] { state->run(); });
  if (!state_->running) state_->watched.pop_back();
  return state_->running;
}

}  // namespace torno::notify
