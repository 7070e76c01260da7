// Tracer: follows a program and all it starts with ptrace(2), so that somebody can look at a thread
// that is about to die of a signal. The program sees nothing of it, but that it is slower.
//
// A thread has one tracer. So what else is done with ptrace (remote.h) is done here as well, by
// run().
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace torno::notify {

class Tracer {
 public:
  // Looks at a thread that stands still; what it returns is called once the thread is let go.
  using Look = std::function<std::function<void()>(pid_t thread, int signal)>;

  explicit Tracer(Look look);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // Follows the process from here on. False: the kernel does not let it be traced.
  bool start(pid_t process);

  // Has the tracing thread do it, and waits for that.
  void run(const std::function<void()>& job);
  // For a job of run(), of a thread that is held.
  std::function<void()> look(pid_t thread, int signal) { return look_(thread, signal); }
  // From another thread, once nobody is to be followed: whoever is left is killed.
  void stop();

 private:
  struct Job {
    const std::function<void()>& work;
    bool taken = false;
    bool done = false;
  };

  void follow(pid_t process);
  bool step();
  void take(pid_t thread, int status);
  void work_off();

  Look look_;
  std::mutex mutex_;  // of the following
  std::condition_variable changed_;
  std::vector<Job*> jobs_;
  enum class State { kStarting, kRunning, kEnded } state_ = State::kStarting;
  bool failed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace torno::notify
