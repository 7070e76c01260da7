// SlowPool: threads for requests that may block (a FIFO without a writer, a network file system).
// A job that is no longer wanted is interrupted: a signal with an empty handler makes its system
// call fail with EINTR, again and again until the job ends, since the first may come before the
// call.
//
// Thread safety: every member may be called from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace torno::session {

class SlowPool {
 public:
  class Job;  // what cancel takes
  // Runs on a thread of the pool. `cancelled` is true when nobody waits any more and the work
  // must not begin.
  using Work = std::move_only_function<void(bool cancelled)>;

  // All sessions together; a waiting thread costs a stack of some pages.
  static constexpr std::size_t kMaxThreads = 256;

  SlowPool();
  // Interrupts what runs and waits for it, at most kDrainTime; a job stuck in the kernel beyond
  // that keeps what it holds.
  ~SlowPool();
  SlowPool(const SlowPool&) = delete;
  SlowPool& operator=(const SlowPool&) = delete;

  // Null when all threads are busy: `work` is then not run.
  std::shared_ptr<Job> submit(Work work);
  void cancel(const std::shared_ptr<Job>& job);

  // Cancels every job and waits for their threads; false when one is still stuck after `time`.
  bool drain(std::chrono::milliseconds time);

 private:
  static constexpr std::chrono::seconds kDrainTime{2};
  struct State;
  std::shared_ptr<State> state_;  // shared with the threads, which may outlive the pool
};

}  // namespace torno::session
