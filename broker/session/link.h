// Link: one socket of a session, the control socket or a channel, with the request that is under
// way on it and the answers that found no room yet.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/fd.h"
#include "broker/session/loop.h"
#include "broker/session/slow_pool.h"

namespace torno::session {

struct Link {
  static constexpr std::uint32_t kControl = 0;

  struct Answer {
    std::string bytes;
    std::vector<Fd> fds;
  };

  Link(std::uint32_t number, Fd&& fd) : id(number), socket(std::move(fd)) {}

  bool is_control() const { return id == kControl; }
  bool is_open() const { return static_cast<bool>(socket); }

  const std::uint32_t id;
  Fd socket;
  std::optional<Loop::Handle> watch;  // holds the session and this link

  std::deque<Answer> queue;      // not empty: waiting for room
  std::uint32_t unread_fds = 0;  // sent since the socket was last seen empty

  std::shared_ptr<SlowPool::Job> job;  // the slow request under way
  std::uint32_t job_sequence = 0;
};

}  // namespace torno::session
