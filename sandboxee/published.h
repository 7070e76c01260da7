// Published: a small value that any thread may replace and a signal handler may read, without a
// lock: a writer fills a copy nobody reads yet and then points at it. A reader that is overtaken
// by kCopies writers in its few instructions sees that, and reads again.
#pragma once

#include <atomic>

namespace torno {

template <typename T>
class Published {
 public:
  void set(const T& value) {
    const unsigned turn = next_.fetch_add(1, std::memory_order_relaxed) + 1;
    copies_[turn % kCopies] = value;
    current_.store(turn, std::memory_order_release);
  }

  T get() const {
    for (;;) {
      const unsigned turn = current_.load(std::memory_order_acquire);
      const T value = copies_[turn % kCopies];
      std::atomic_thread_fence(std::memory_order_acquire);
      if (current_.load(std::memory_order_relaxed) == turn) return value;
    }
  }

 private:
  static constexpr unsigned kCopies = 64;
  T copies_[kCopies] = {};
  std::atomic<unsigned> next_{0};
  std::atomic<unsigned> current_{0};
};

}  // namespace torno
