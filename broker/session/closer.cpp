#include "broker/session/closer.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "broker/session/interrupt.h"
#include "broker/session/turns.h"

namespace torno::session {
namespace {

// Longer than any close that waits for this kernel alone.
constexpr std::chrono::milliseconds kPatience{20};

}  // namespace

struct Closer::Lane::Queue {
  const pid_t peer;
  std::vector<Fd> waiting;
  std::size_t unclosed = 0;  // waiting, or in the hands of a thread
  bool scheduled = false;    // waits for its turn, or in the hands of a thread
};

struct Closer::State {
  using Queue = Lane::Queue;

  std::mutex mutex;
  std::condition_variable work_came;
  std::condition_variable began;    // a thread closes something, or nothing is left to be closed
  std::condition_variable changed;  // a thread ended
  Turns<std::shared_ptr<Queue>> turns{{kSharedThreads, kReservedThreads, kMaxThreads}};
  std::vector<pthread_t> closing;
  std::size_t threads = 0;
  bool watching = false;
  bool stopping = false;

  static void serve(const std::shared_ptr<State>& self);
  static void watch(const std::shared_ptr<State>& self);
  static void staff(const std::shared_ptr<State>& self, pid_t peer);
};

void Closer::State::serve(const std::shared_ptr<State>& self) {
  std::unique_lock lock(self->mutex);
  while (true) {
    std::shared_ptr<Queue> queue;
    self->work_came.wait(lock,
                         [&] { return (queue = self->turns.take()) != nullptr || self->stopping; });
    if (queue == nullptr) break;
    std::vector<Fd> batch = std::exchange(queue->waiting, {});
    self->closing.push_back(::pthread_self());
    self->began.notify_all();
    for (Fd& fd : batch) {
      lock.unlock();
      fd.reset();
      lock.lock();
      --queue->unclosed;
    }
    std::erase(self->closing, ::pthread_self());
    queue->scheduled = !queue->waiting.empty();
    if (queue->scheduled) self->turns.add(queue->peer, queue);
    self->turns.done(queue->peer);
  }
  --self->threads;
  self->began.notify_all();
  self->changed.notify_all();
}

// The mutex keeps each thread alive while it is signalled.
void Closer::State::watch(const std::shared_ptr<State>& self) {
  std::unique_lock lock(self->mutex);
  while (!self->stopping || self->threads > 0) {
    if (self->closing.empty()) {
      self->began.wait(lock);
      continue;
    }
    self->changed.wait_for(lock, kPatience);
    for (const pthread_t thread : self->closing) interrupt(thread);
  }
  self->watching = false;
  self->changed.notify_all();
}

// As many threads as there are lanes whose turn it is. What no thread can be had for waits for the
// next attempt, or for a thread that comes free: it is never closed here.
void Closer::State::staff(const std::shared_ptr<State>& self, pid_t peer) {
  if (!self->watching) self->watching = start_thread([self] { watch(self); });
  const bool wanted = self->watching && self->turns.wants_thread(peer, self->threads);
  if (wanted && start_thread([self] { serve(self); })) ++self->threads;
}

std::size_t Closer::Lane::close(Fd fd) {
  const std::lock_guard lock(closer_->mutex);
  queue_->waiting.push_back(std::move(fd));
  ++queue_->unclosed;
  if (!std::exchange(queue_->scheduled, true)) closer_->turns.add(queue_->peer, queue_);
  State::staff(closer_, queue_->peer);
  closer_->work_came.notify_one();
  return queue_->unclosed;
}

Closer::Closer() : state_(std::make_shared<State>()) {
  prepare_interrupts();
}

Closer::~Closer() {
  drain(kDrainTime);
}

Closer::Lane Closer::make_lane(pid_t peer) {
  Lane lane;
  lane.closer_ = state_;
  lane.queue_ = std::make_shared<Lane::Queue>(peer);
  return lane;
}

bool Closer::drain(std::chrono::milliseconds time) {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->turns.open();
  state_->work_came.notify_all();
  state_->began.notify_all();
  return state_->changed.wait_for(lock, time,
                                  [this] { return state_->threads == 0 && !state_->watching; });
}

}  // namespace torno::session
