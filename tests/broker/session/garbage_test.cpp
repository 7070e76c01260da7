// Bytes no client of ours would send: each ends its own session at most.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "tests/broker/session/served.h"
#include "tests/support/seed.h"

namespace torno::session {
namespace {

using test::RawPeer;

constexpr int kMessages = 2000;

class Garbage : public Served {
 protected:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

  std::string random_bytes(std::size_t longest) {
    std::string bytes(below(longest + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(below(256));
    return bytes;
  }

  // A message that some client might send, of any kind, with any values.
  wire::ClientMessage random_message() {
    wire::ClientMessage message;
    switch (below(10)) {
      case 0:
        return test::hello_message(random_bytes(20), static_cast<unsigned>(below(3)),
                                   static_cast<unsigned>(below(3)));
      case 1:
        return test::new_channel_message();
      case 2:
        return test::sealed_message(static_cast<unsigned>(below(64)));
      case 3:
        return test::cancel_message(static_cast<unsigned>(below(4)));
      default:
        break;
    }
    wire::Request& request = *message.mutable_request();
    request.set_sequence(static_cast<unsigned>(below(4)));
    request.set_channel(static_cast<unsigned>(below(4)));
    request.set_directory(static_cast<wire::Directory>(below(6)));
    request.set_cwd(below(2) == 0 ? files_.path() : random_bytes(30));
    request.set_path(below(2) == 0 ? path("file") : random_bytes(300));
    switch (below(7)) {
      case 0:
        request.mutable_open()->set_flags(random_());
        request.mutable_open()->set_resolve(below(64));
        break;
      case 1:
        request.mutable_stat()->set_flags(static_cast<unsigned>(random_()));
        break;
      case 2:
        request.mutable_access()->set_mode(static_cast<unsigned>(below(16)));
        break;
      case 3:
        request.mutable_readlink()->set_size(static_cast<unsigned>(random_()));
        break;
      case 4:
        request.mutable_connect();
        break;
      case 5:
        request.mutable_narrow();
        break;
      default:
        break;
    }
    return message;
  }

  // The same with some bytes changed, cut or added.
  std::string mutated(std::string bytes) {
    for (std::size_t times = below(4); times > 0 && !bytes.empty(); --times) {
      switch (below(3)) {
        case 0:
          bytes[below(bytes.size())] = static_cast<char>(below(256));
          break;
        case 1:
          bytes.resize(below(bytes.size() + 1));
          break;
        default:
          bytes.insert(below(bytes.size() + 1), random_bytes(8));
          break;
      }
    }
    return bytes;
  }

  // Sends without ever waiting; what the broker answers is thrown away.
  bool send(const RawPeer& peer, const std::string& bytes, std::size_t fds) {
    const bool sent = peer.send_bytes(bytes, std::vector<int>(fds, STDIN_FILENO)) == 0;
    while (receive_now(peer)) {
    }
    return sent;
  }

  static bool receive_now(const RawPeer& peer) {
    char byte = 0;
    if (::recv(peer.fd(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) <= 0) return false;
    return peer.receive().has_value();
  }

  std::mt19937 random_{test::seed(20240607)};
};

TEST_F(Garbage, StreamsOfHostileMessages) {
  const RawPeer other = sealed();
  const RawPeer other_channel = other.new_channel();
  RawPeer peer = sealed();
  RawPeer channel = peer.new_channel();
  for (int i = 0; i < kMessages; ++i) {
    const std::string bytes =
        below(5) == 0 ? random_bytes(200) : mutated(random_message().SerializeAsString());
    const RawPeer& target = below(2) == 0 ? peer : channel;
    if (!send(target, bytes, below(6) == 0 ? below(4) : 0)) {
      peer = sealed();
      channel = peer.new_channel();
      while (!channel.is_valid()) {
        peer = sealed();
        channel = peer.new_channel();
      }
    }
    if (i % 100 == 0) expect_serves(other_channel);
  }
  expect_serves(other_channel);
}

TEST_F(Garbage, BeforeTheHandshake) {
  for (int i = 0; i < 300; ++i) {
    const RawPeer peer = connect();
    send(peer, mutated(test::hello_message("all").SerializeAsString()), below(3));
  }
}

TEST_F(Garbage, CutAtEveryByte) {
  const std::string whole = test::open_message(1, path("file"), O_RDONLY).SerializeAsString();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const RawPeer peer = sealed();
    const RawPeer channel = peer.new_channel();
    ASSERT_EQ(channel.send_bytes(std::string_view(whole).substr(0, size)), 0);
    EXPECT_TRUE(peer.wait_for_end()) << size;
  }
}

TEST_F(Garbage, OfEverySizeAroundTheLimit) {
  for (const std::size_t size : {0U, 1U, 12287U, 12288U, 12289U, 65536U, 150000U}) {
    const RawPeer peer = sealed();
    const RawPeer channel = peer.new_channel();
    ASSERT_EQ(channel.send_bytes(std::string(size, '\xff')), 0);
    EXPECT_TRUE(peer.wait_for_end()) << size;
  }
}

}  // namespace
}  // namespace torno::session
