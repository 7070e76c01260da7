#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::RawPeer;

class Requests : public Served {
 protected:
  wire::Reply reply_to(const wire::ClientMessage& request) {
    const auto answer = channel_.ask_and_wait(request);
    EXPECT_TRUE(answer && answer->message.has_reply());
    return answer ? answer->message.reply() : wire::Reply();
  }

  const RawPeer peer_ = sealed();
  const RawPeer channel_ = peer_.new_channel();
};

TEST_F(Requests, Open) {
  expect_serves(channel_);
}

TEST_F(Requests, OpenThatFails) {
  const wire::Reply reply = reply_to(test::open_message(3, path("missing"), O_RDONLY));
  EXPECT_EQ(reply.sequence(), 3U);
  EXPECT_EQ(reply.result(), -ENOENT);
}

TEST_F(Requests, ADenialIsAnsweredAndRecorded) {
  const wire::Reply reply = reply_to(test::open_message(3, "/etc/shadow", O_RDONLY));
  EXPECT_EQ(reply.result(), -EACCES);
  EXPECT_TRUE(tornod_.wait_for_log(
      "torno: denied openat READ /etc/shadow: EACCES (no rule) pid=" + std::to_string(::getpid()) +
      " uid=" + std::to_string(::getuid()) + " policy=all session="));
}

TEST_F(Requests, Stat) {
  wire::ClientMessage request = test::request_message(4, path("file"));
  request.mutable_request()->mutable_stat()->set_mask(STATX_BASIC_STATS);
  const wire::Reply reply = reply_to(request);
  struct stat status{};
  ASSERT_EQ(::stat(path("file").c_str(), &status), 0);
  EXPECT_EQ(reply.result(), 0);
  EXPECT_EQ(reply.stat().ino(), status.st_ino);
  EXPECT_EQ(reply.stat().size(), 7U);
  EXPECT_EQ(reply.stat().mode(), status.st_mode);
  EXPECT_EQ(reply.stat().uid(), status.st_uid);
  EXPECT_EQ(reply.stat().mtime_sec(), status.st_mtim.tv_sec);
  EXPECT_EQ(reply.stat().mtime_nsec(), status.st_mtim.tv_nsec);
  EXPECT_EQ(reply.stat().nlink(), 1U);
}

TEST_F(Requests, Access) {
  wire::ClientMessage request = test::request_message(5, path("file"));
  request.mutable_request()->mutable_access()->set_mode(R_OK);
  EXPECT_EQ(reply_to(request).result(), 0);
  request.mutable_request()->mutable_access()->set_mode(0x100);
  EXPECT_EQ(reply_to(request).result(), -EINVAL);
}

TEST_F(Requests, Readlink) {
  ASSERT_EQ(::symlink("the target", path("link").c_str()), 0);
  wire::ClientMessage request = test::request_message(6, path("link"));
  request.mutable_request()->mutable_readlink()->set_size(4096);
  wire::Reply reply = reply_to(request);
  EXPECT_EQ(reply.result(), 10);
  EXPECT_EQ(reply.target(), "the target");
  request.mutable_request()->mutable_readlink()->set_size(3);
  reply = reply_to(request);
  EXPECT_EQ(reply.result(), 3);
  EXPECT_EQ(reply.target(), "the");
}

TEST_F(Requests, RelativeToTheWorkingDirectory) {
  wire::ClientMessage request = test::open_message(7, "file", O_RDONLY);
  request.mutable_request()->set_directory(wire::DIRECTORY_CWD);
  request.mutable_request()->set_cwd(files_.path());
  EXPECT_EQ(reply_to(request).result(), 0);
}

TEST_F(Requests, RelativeToADirectoryThatIsSent) {
  const Fd directory(::open(files_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  wire::ClientMessage request = test::open_message(8, "file", O_RDONLY);
  request.mutable_request()->set_directory(wire::DIRECTORY_FD);
  request.mutable_request()->set_channel(channel_.id());
  ASSERT_EQ(peer_.send(request, {directory.get()}), 0);
  const auto answer = channel_.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message.reply().result(), 0);
  EXPECT_EQ(answer->fds.size(), 1U);
}

TEST_F(Requests, ConnectIsRefusedWithoutARule) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  wire::ClientMessage request = test::request_message(
      9, std::string(reinterpret_cast<const char*>(&address), sizeof address));
  request.mutable_request()->mutable_connect();
  request.mutable_request()->set_channel(channel_.id());
  ASSERT_EQ(peer_.send(request, {socket.get()}), 0);
  const auto answer = channel_.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message.reply().result(), -EACCES);
  EXPECT_TRUE(tornod_.wait_for_log("denied connect CONNECT 127.0.0.1:9: EACCES (no rule)"));
}

TEST_F(Requests, AHostileNameForgesNoLineOfTheLog) {
  reply_to(test::open_message(1, "/x\ntorno: denied nothing\x1b[2J", O_RDONLY));
  EXPECT_TRUE(tornod_.wait_for_log(R"(/x\x0atorno: denied nothing\x1b[2J)"));
}

TEST_F(Requests, AFloodOfDenialsDoesNotFloodTheLog) {
  for (unsigned i = 0; i < 2000; ++i) {
    ASSERT_EQ(reply_to(test::open_message(i, "/etc/shadow", O_RDONLY)).result(), -EACCES);
  }
  const std::string log = tornod_.log();
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = log.find("denied openat", at)) != std::string::npos; ++at) ++lines;
  EXPECT_GE(lines, 100U);
  EXPECT_LT(lines, 2000U);
}

TEST_F(Requests, TheLogSaysHowManyLinesItHeldBack) {
  {
    const RawPeer peer = sealed();
    const RawPeer channel = peer.new_channel();
    for (unsigned i = 0; i < 2000; ++i) channel.ask(test::open_message(i, "/etc/shadow", O_RDONLY));
  }
  EXPECT_TRUE(tornod_.wait_for_log("events not shown"));
  EXPECT_TRUE(tornod_.wait_for_log("session ended: 2000 requests, 2000 denied"));
}

// SO_PEERCRED of a forked child stays its parent's; each message says which of them asks.
TEST_F(Requests, ARecordedDenialNamesTheProcessThatAsked) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(channel_.ask(test::open_message(1, "/etc/shadow", O_RDONLY)) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(tornod_.wait_for_log("pid=" + std::to_string(child)));
}

TEST_F(Requests, ManySessionsAndChannelsAtOnce) {
  std::vector<RawPeer> peers;
  std::vector<RawPeer> channels;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(sealed());
    for (int n = 0; n < 5; ++n) channels.push_back(peers.back().new_channel());
  }
  for (const RawPeer& channel : channels) {
    ASSERT_EQ(channel.send(test::open_message(1, path("file"), O_RDONLY)), 0);
  }
  for (const RawPeer& channel : channels) {
    const auto answer = channel.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->fds.size(), 1U);
  }
}

}  // namespace
}  // namespace torno::session
