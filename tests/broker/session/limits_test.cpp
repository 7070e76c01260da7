#include "broker/session/limits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::RawPeer;

class Limits : public Served {
 protected:
  Limits() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    enough_fds_ = files.rlim_cur > 4 * kMaxChannels;
  }

  bool enough_fds_ = false;  // this user may open enough files to reach a limit
};

TEST_F(Limits, Channels) {
  if (!enough_fds_) GTEST_SKIP() << "needs a hard RLIMIT_NOFILE of " << 5 * kMaxChannels;
  const RawPeer peer = sealed();
  std::vector<RawPeer> channels;
  for (std::size_t i = 0; i < kMaxChannels; ++i) {
    channels.push_back(peer.new_channel());
    ASSERT_TRUE(channels.back().is_valid()) << i;
  }
  const auto refused = peer.ask(test::new_channel_message());
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->message.channel_ready().error(), EMFILE);
  EXPECT_TRUE(refused->fds.empty());
  expect_serves(channels.front());
  expect_serves(sealed().new_channel());

  channels.pop_back();
  EXPECT_TRUE(test::eventually([&] { return peer.new_channel().is_valid(); }));
}

TEST_F(Limits, SessionsOfOneProcess) {
  const RawPeer other = sealed();
  std::vector<RawPeer> peers;
  for (std::size_t i = 1; i < kMaxPeerSessions; ++i) {
    peers.push_back(sealed());
    ASSERT_TRUE(peers.back().is_valid()) << i;
  }
  const auto refused = connect().hello("all");
  ASSERT_TRUE(refused && refused->message.has_refused());
  EXPECT_EQ(refused->message.refused().reason(), wire::Refused::REASON_RESOURCES);
  expect_serves(other.new_channel());
  // Another process of the same user is none of this one's.
  const pid_t child = ::fork();
  if (child == 0) ::_exit(connect().enter("all") ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  peers.pop_back();
  EXPECT_TRUE(test::eventually([&] { return connect().enter("all"); }));
}

TEST_F(Limits, TheLargestMessage) {
  const RawPeer peer = sealed();
  const RawPeer channel = peer.new_channel();
  wire::ClientMessage request = test::open_message(1, path("file"), O_RDONLY);
  std::string* sent = request.mutable_request()->mutable_path();
  sent->push_back('\0');
  sent->append(kMaxMessage - request.ByteSizeLong() - 3, 'x');
  while (request.ByteSizeLong() < kMaxMessage) sent->push_back('x');
  ASSERT_EQ(request.ByteSizeLong(), kMaxMessage);
  const auto answer = channel.ask(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message.reply().result(), 0);

  sent->push_back('x');
  ASSERT_EQ(channel.send(request), 0);
  EXPECT_TRUE(peer.wait_for_end());
  EXPECT_TRUE(tornod_.wait_for_log("a message larger than MAX_MESSAGE"));
}

// Descriptors in flight count against the broker's user; unread ones would starve all sessions.
TEST_F(Limits, DescriptorsThatNobodyReceives) {
  const RawPeer other = sealed();
  const RawPeer peer = sealed();
  const RawPeer channel = peer.new_channel();
  for (std::uint32_t i = 0; i <= kMaxUnreadFds; ++i) {
    ASSERT_EQ(channel.send(test::open_message(1, path("file"), O_RDONLY)), 0);
  }
  EXPECT_TRUE(peer.wait_for_end());
  EXPECT_TRUE(tornod_.wait_for_log("it does not receive the descriptors it asked for"));
  expect_serves(other.new_channel());
}

// Few on each channel, and far too many on all of them.
TEST_F(Limits, DescriptorsThatNobodyReceivesOnManyChannels) {
  if (!enough_fds_) GTEST_SKIP() << "needs a hard RLIMIT_NOFILE of " << 5 * kMaxChannels;
  const RawPeer other = sealed();
  const RawPeer peer = sealed();
  constexpr std::size_t kOnEach = kMaxUnreadFds - 1;
  std::vector<RawPeer> channels;
  for (std::size_t i = 0; i <= kMaxSessionUnreadFds / kOnEach + 1; ++i) {
    channels.push_back(peer.new_channel());
    ASSERT_TRUE(channels.back().is_valid());
  }
  for (const RawPeer& channel : channels) {
    for (std::size_t i = 0; i < kOnEach; ++i) {
      if (channel.send(test::open_message(1, path("file"), O_RDONLY)) != 0) break;
    }
  }
  EXPECT_TRUE(peer.wait_for_end());
  EXPECT_TRUE(tornod_.wait_for_log("it does not receive the descriptors it asked for"));
  expect_serves(other.new_channel());
}

// However slow it is: a client that receives each answer before it asks again is no hoarder.
TEST_F(Limits, DescriptorsThatAreReceivedAreNoneInFlight) {
  const RawPeer peer = sealed();
  std::vector<RawPeer> channels;
  for (int i = 0; i < 50; ++i) channels.push_back(peer.new_channel());
  for (std::uint32_t round = 0; round < 4 * kMaxUnreadFds; ++round) {
    for (const RawPeer& channel : channels) {
      ASSERT_EQ(channel.send(test::open_message(round, path("file"), O_RDONLY)), 0);
    }
    for (const RawPeer& channel : channels) {
      const auto answer = channel.receive();
      ASSERT_TRUE(answer) << tornod_.log();
      ASSERT_EQ(answer->fds.size(), 1U);
    }
  }
}

// A request that could be left lying in the socket would be answered for whoever has the sender's
// process number by then.
TEST_F(Limits, RequestsBehindUnreadAnswers) {
  const RawPeer other = sealed();
  const RawPeer peer = sealed();
  const RawPeer channel = peer.new_channel();
  wire::ClientMessage stat = test::request_message(0, path("file"));
  stat.mutable_request()->mutable_stat();
  const std::string bytes = stat.SerializeAsString();
  for (int i = 0; i < 20'000; ++i) {
    if (::send(channel.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) break;
  }
  EXPECT_TRUE(tornod_.wait_for_log("a request before the last answer was read"));
  EXPECT_TRUE(peer.wait_for_end());
  expect_serves(other.new_channel());
}

TEST_F(Limits, AnswersOnTheControlSocketThatNobodyReads) {
  const RawPeer other = sealed();
  const RawPeer peer = sealed();
  const std::string message = test::new_channel_message().SerializeAsString();
  // As many errors as fit into the socket and the broker's queue, and then some.
  for (int i = 0; i < 20'000; ++i) {
    if (::send(peer.fd(), message.data(), message.size(), MSG_NOSIGNAL) < 0) break;
  }
  EXPECT_TRUE(tornod_.wait_for_log("does not re"));
  EXPECT_TRUE(peer.wait_for_end());
  expect_serves(other.new_channel());
}

}  // namespace
}  // namespace torno::session
