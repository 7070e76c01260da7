// Link: one socket of a session, the control socket or a channel, with the request that is under
// way on it and the answers that found no room yet.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/fd.h"
#include "broker/session/slow_pool.h"

namespace torno::session {

struct Link {
  static constexpr std::uint32_t kControl = 0;

  struct Answer {
    std::string bytes;
    std::vector<Fd> fds;
  };

  Link(boost::asio::io_context& io, std::uint32_t number) : id(number), socket(io) {}

  // Null, and `fd` is still the caller's, when the kernel watches no more descriptors for this
  // user: a sandboxee can use up fs.epoll.max_user_watches, and that must cost nobody but itself.
  static std::shared_ptr<Link> make(boost::asio::io_context& io, std::uint32_t number, Fd&& fd) {
    auto link = std::make_shared<Link>(io, number);
    boost::system::error_code error;
    static_cast<void>(link->socket.assign(fd.get(), error));
    if (error) return nullptr;
    fd.release();
    return link;
  }

  bool is_control() const { return id == kControl; }
  bool is_open() const { return socket.is_open(); }

  const std::uint32_t id;
  // The executor by its own type: the one that could be any costs every request a little.
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> socket;
  bool listening = false;

  std::deque<Answer> queue;      // not empty: waiting for room
  std::uint32_t unread_fds = 0;  // sent since the socket was last seen empty

  std::shared_ptr<SlowPool::Job> job;  // the slow request under way
  std::uint32_t job_sequence = 0;
};

}  // namespace torno::session
