// Turns: whose turn it is on a number of threads that all peer processes share. A peer that fills
// the shared threads leaves every other its reserve; what finds no thread waits, and whoever has
// the fewest items running is next, then whoever waited longest.
//
// Thread safety: none; its user holds a mutex.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>

namespace torno::session {

// Item: a pointer.
template <typename Item>
class Turns {
 public:
  struct Threads {
    std::size_t shared;    // for whoever comes
    std::size_t reserved;  // of a peer, once those are in use
    std::size_t most;
  };

  explicit Turns(Threads threads) : threads_(threads) {}

  void add(pid_t peer, Item item) {
    shares_[peer].waiting.emplace_back(++last_, std::move(item));
    ++waiting_;
  }

  // The item whose turn it is; null: none may start. It runs until done().
  Item take() {
    Share* chosen = nullptr;
    for (auto& [peer, share] : shares_) {
      if (!may_start(share)) continue;
      const auto rank = [](const Share& s) {
        return std::pair(s.running, s.waiting.front().first);
      };
      if (chosen == nullptr || rank(share) < rank(*chosen)) chosen = &share;
    }
    if (chosen == nullptr) return nullptr;
    Item item = std::move(chosen->waiting.front().second);
    chosen->waiting.pop_front();
    --waiting_;
    ++chosen->running;
    ++running_;
    return item;
  }

  void done(pid_t peer) {
    const auto share = shares_.find(peer);
    --running_;
    --share->second.running;
    forget_idle(share);
  }

  // False: it does not wait.
  bool remove(pid_t peer, const Item& item) {
    const auto share = shares_.find(peer);
    if (share == shares_.end()) return false;
    const auto is_it = [&item](const auto& each) { return each.second == item; };
    const std::size_t removed = std::erase_if(share->second.waiting, is_it);
    waiting_ -= removed;
    forget_idle(share);
    return removed > 0;
  }

  // Waiting and running.
  std::size_t of(pid_t peer) const {
    const auto share = shares_.find(peer);
    return share == shares_.end() ? 0 : share->second.waiting.size() + share->second.running;
  }

  // With `threads` there are: does what `peer` added last need a further one?
  bool wants_thread(pid_t peer, std::size_t threads) const {
    const bool startable = running_ < threads_.shared || of(peer) <= threads_.reserved;
    return startable && threads < running_ + waiting_ && threads < threads_.most;
  }

  // From now on whatever waits may start.
  void open() { open_ = true; }

  template <typename Act>
  void for_each_waiting(Act act) {
    for (auto& [peer, share] : shares_) {
      for (auto& [number, item] : share.waiting) act(item);
    }
  }

 private:
  struct Share {  // of one peer
    std::deque<std::pair<std::uint64_t, Item>> waiting;
    std::size_t running = 0;
  };
  using Shares = std::map<pid_t, Share>;

  bool may_start(const Share& share) const {
    if (share.waiting.empty()) return false;
    if (open_ || running_ < threads_.shared) return true;
    return share.running < threads_.reserved && running_ < threads_.most;
  }

  void forget_idle(typename Shares::iterator share) {
    if (share->second.running == 0 && share->second.waiting.empty()) shares_.erase(share);
  }

  const Threads threads_;
  Shares shares_;  // of peers that have items
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t last_ = 0;
  bool open_ = false;
};

}  // namespace torno::session
