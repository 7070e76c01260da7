// Supervised: a forked child whose calls a notify filter sends to a supervisor of the test's.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/notify/listener.h"

namespace torno::notify::test {

using Body = std::function<int()>;

// A child that runs `body` under the notify filter of a policy, and exits with what it returns. It
// is a fork of the test's first thread: nothing of the other threads is there.
class Filtered {
 public:
  Filtered(const std::string& policy, const Body& body);
  ~Filtered();
  Filtered(const Filtered&) = delete;
  Filtered& operator=(const Filtered&) = delete;

  pid_t pid() const { return pid_; }
  // Once.
  Fd take_listener() { return std::move(listener_); }
  // Lets the body begin.
  void go();
  // What waitpid(2) says of its end.
  int wait();

 private:
  // The child's parent. It is not the test, some of whose threads trace the child: the kernel tells
  // a child's stops to any thread of the tracer's process that waits for it.
  pid_t keeper_ = -1;
  pid_t pid_ = -1;
  int status_ = 0;
  Fd listener_;
  Fd go_;
  Fd end_;
};

// The same with a supervisor that answers.
class Supervised {
 public:
  Supervised(const std::string& policy, const Body& body);
  ~Supervised();
  Supervised(const Supervised&) = delete;
  Supervised& operator=(const Supervised&) = delete;

  pid_t pid() const { return child_.pid(); }
  int wait() { return child_.wait(); }

 private:
  struct Broker;
  Filtered child_;
  std::unique_ptr<Broker> broker_;
};

// Waits for the end of a supervised body: its exit status, or 1000 and the signal that ended it.
int run_supervised(const std::string& policy, const Body& body);

// What a body saw, in memory that it shares with the test.
class Record {
 public:
  Record();
  ~Record();
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  void clear();
  void number(long value);
  // A system call's result, and errno when it failed.
  void result(long value);
  void bytes(std::span<const std::byte> data);
  void text(std::string_view text) { bytes(std::as_bytes(std::span(text.data(), text.size()))); }

  std::vector<long> numbers() const;

 private:
  struct Shared;
  Shared* shared_;
};

// Descriptors that this process has open, but for the one it looks with.
std::vector<int> open_descriptors();

}  // namespace torno::notify::test
