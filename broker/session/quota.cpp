#include "broker/session/quota.h"

#include "broker/session/limits.h"

namespace torno::session {

bool Quota::take_session(pid_t peer) {
  const std::lock_guard lock(mutex_);
  const auto known = peers_.find(peer);
  const Held held = known != peers_.end() ? known->second : Held{};
  if (sessions_ >= kMaxSessions || held.sessions >= kMaxPeerSessions || !has_room(held)) {
    return false;
  }
  ++peers_[peer].sessions;
  ++sessions_;
  ++total_;
  return true;
}

void Quota::give_session(pid_t peer) {
  const std::lock_guard lock(mutex_);
  --sessions_;
  give(peer, &Held::sessions);
}

bool Quota::take_channel(pid_t peer) {
  const std::lock_guard lock(mutex_);
  const auto held = peers_.find(peer);
  if (held == peers_.end() || !has_room(held->second)) return false;
  ++held->second.channels;
  ++total_;
  return true;
}

void Quota::give_channel(pid_t peer) {
  const std::lock_guard lock(mutex_);
  give(peer, &Held::channels);
}

void Quota::give(pid_t peer, std::size_t Held::* what) {
  const auto held = peers_.find(peer);
  --(held->second.*what);
  --total_;
  if (held->second.sockets() == 0) peers_.erase(held);
}

}  // namespace torno::session
