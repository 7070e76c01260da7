// Quota: the sockets of all sessions against the descriptors that the broker may have. A peer
// process gets a further one only while it holds fewer than are free: whoever takes all it can
// leaves half of what it found. What it has stays its own until it gives it back.
//
// So one process, and whatever it forks once it is sealed, cannot starve the others: the peer is
// the process that connected. It is no bound on processes that each connect: one after another they
// halve what is left, and some twenty take everything.
//
// Half of the descriptors are not given away: requests under way, policies and logs need some, and
// a message's descriptors must find room, or the kernel closes them on the io thread.
//
// Thread safety: every member may be called from any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <mutex>

namespace torno::session {

class Quota {
 public:
  // `descriptors`: the soft RLIMIT_NOFILE.
  explicit Quota(std::size_t descriptors) : sockets_(descriptors / 2) {}

  bool take_session(pid_t peer);
  void give_session(pid_t peer);
  bool take_channel(pid_t peer);
  void give_channel(pid_t peer);

 private:
  struct Held {
    std::size_t sessions = 0;
    std::size_t channels = 0;
    std::size_t sockets() const { return sessions + channels; }
  };
  bool has_room(const Held& held) const { return held.sockets() < sockets_ - total_; }
  void give(pid_t peer, std::size_t Held::* what);

  const std::size_t sockets_;
  std::mutex mutex_;
  std::size_t total_ = 0;
  std::size_t sessions_ = 0;
  std::map<pid_t, Held> peers_;
};

}  // namespace torno::session
