// Peers that die at every step of a session: the broker holds nothing of them (Served's end
// compares its descriptors) and serves on.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::RawPeer;

class Deaths : public Served {
 protected:
  // Runs the steps in a process that ends right after them, without closing anything itself.
  void die_after(const std::function<void()>& steps) {
    const pid_t child = ::fork();
    if (child == 0) {
      steps();
      ::_exit(0);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
};

TEST_F(Deaths, AtEveryStep) {
  const std::string fifo = make_fifo("fifo");
  const auto open = [&](unsigned channel_id, wire::Directory directory) {
    wire::ClientMessage message = test::open_message(1, "file", O_RDONLY);
    message.mutable_request()->set_directory(directory);
    message.mutable_request()->set_channel(channel_id);
    return message;
  };
  const std::vector<std::function<void()>> ends = {
      [&] { connect(); },
      [&] { connect().send_bytes("\x0a"); },
      [&] { connect().send(test::hello_message("all")); },
      [&] { connect().hello("all"); },
      [&] { connect().hello("nosuch"); },
      [&] {
        const RawPeer peer = connect();
        peer.hello("all");
        peer.send(test::new_channel_message());
      },
      [&] {
        const RawPeer peer = connect();
        peer.hello("all");
        peer.new_channel();
      },
      [&] { sealed(); },
      [&] { sealed().send(test::new_channel_message()); },
      [&] {
        const RawPeer peer = sealed();
        peer.new_channel().send(test::open_message(1, path("file"), O_RDONLY));
      },
      [&] {
        const RawPeer peer = sealed();
        const RawPeer channel = peer.new_channel();
        channel.send(test::open_message(1, path("file"), O_RDONLY));
        channel.receive();
      },
      [&] {
        const RawPeer peer = sealed();
        const RawPeer channel = peer.new_channel();
        peer.send(open(channel.id(), wire::DIRECTORY_FD), {STDIN_FILENO});
      },
      [&] {
        const RawPeer peer = sealed();
        const RawPeer channel = peer.new_channel();
        channel.send(test::open_message(1, fifo, O_RDONLY));
      },
      [&] {
        const RawPeer peer = sealed();
        const RawPeer channel = peer.new_channel();
        channel.ask(test::open_message(1, fifo, O_RDONLY));
      },
      [&] {
        const RawPeer peer = sealed();
        const RawPeer channel = peer.new_channel();
        channel.ask(test::open_message(1, fifo, O_RDONLY));
        channel.send(test::cancel_message(1));
      },
  };
  const RawPeer other = sealed();
  const RawPeer other_channel = other.new_channel();
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < ends.size(); ++i) {
      SCOPED_TRACE(i);
      die_after(ends[i]);
      expect_serves(other_channel);
    }
  }
}

// The session lives as long as one of its processes holds the control socket.
TEST_F(Deaths, OfAParentLeaveTheSessionToItsChild) {
  const RawPeer peer = sealed();
  const RawPeer channel = peer.new_channel();
  die_after([&] { channel.ask(test::open_message(1, path("file"), O_RDONLY)); });
  expect_serves(channel);
}

}  // namespace
}  // namespace torno::session
