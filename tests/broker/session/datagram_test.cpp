#include "broker/session/datagram.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "tests/support/processes.h"
#include "tests/support/raw_peer.h"

namespace torno::session {
namespace {

using Status = Datagram::Status;
using test::RawPeer;

class DatagramTest : public testing::Test {
 protected:
  DatagramTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    broker_.reset(ends[0]);
    peer_ = RawPeer(Fd(ends[1]));
    EXPECT_EQ(pass_credentials(broker_.get()), 0);
    fds_before_ = test::count_fds(::getpid());
  }

  Datagram receive() { return session::receive(broker_.get(), buffer_); }
  int new_fds() const { return test::count_fds(::getpid()) - fds_before_; }

  Fd broker_;
  RawPeer peer_{Fd()};
  std::array<char, 100> buffer_;
  int fds_before_ = 0;
};

TEST_F(DatagramTest, BytesAndSender) {
  peer_.send_bytes("hello");
  const Datagram datagram = receive();
  EXPECT_EQ(datagram.status, Status::kMessage);
  EXPECT_EQ(datagram.bytes, "hello");
  EXPECT_EQ(datagram.client, ::getpid());
  EXPECT_EQ(datagram.fd_count, 0U);
}

// A child shares its parent's socket and its SO_PEERCRED; the message says which of them sent it.
TEST_F(DatagramTest, TheSenderIsTheProcessThatSent) {
  const pid_t child = ::fork();
  if (child == 0) {
    peer_.send_bytes("x");
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(receive().client, child);
}

TEST_F(DatagramTest, NothingYet) {
  EXPECT_EQ(receive().status, Status::kNothing);
}

TEST_F(DatagramTest, TheEndIsNoEmptyMessage) {
  peer_.send_bytes("");
  const Datagram empty = receive();
  EXPECT_EQ(empty.status, Status::kMessage);
  EXPECT_TRUE(empty.bytes.empty());
  peer_.close();
  EXPECT_EQ(receive().status, Status::kClosed);
}

TEST_F(DatagramTest, OneDescriptorIsOwned) {
  peer_.send_bytes("x", {STDIN_FILENO});
  {
    const Datagram datagram = receive();
    EXPECT_EQ(datagram.status, Status::kMessage);
    EXPECT_EQ(datagram.fd_count, 1U);
    EXPECT_NE(::fcntl(datagram.fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(new_fds(), 1);
  }
  EXPECT_EQ(new_fds(), 0);
}

TEST_F(DatagramTest, TwoDescriptorsAreSeenAsTwo) {
  peer_.send_bytes("x", {STDIN_FILENO, STDIN_FILENO});
  const Datagram datagram = receive();
  EXPECT_EQ(datagram.status, Status::kMessage);
  EXPECT_EQ(datagram.fd_count, 2U);
}

TEST_F(DatagramTest, AsManyAsTheKernelTakesLeakNone) {
  for (const std::size_t count : {3U, 4U, 253U}) {
    peer_.send_bytes("x", std::vector<int>(count, STDIN_FILENO));
    EXPECT_EQ(receive().status, Status::kBroken) << count;
    EXPECT_EQ(new_fds(), 0) << count;
  }
}

TEST_F(DatagramTest, TooLong) {
  peer_.send_bytes(std::string(buffer_.size(), 'x'));
  EXPECT_EQ(receive().status, Status::kMessage);
  peer_.send_bytes(std::string(buffer_.size() + 1, 'x'), {STDIN_FILENO});
  EXPECT_EQ(receive().status, Status::kBroken);
  EXPECT_EQ(new_fds(), 0);
}

// The broker's shortage is not the sender's fault.
TEST_F(DatagramTest, ADescriptorThatFindsNoRoomIsSaidToBeLost) {
  peer_.send_bytes("x", {STDIN_FILENO});
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const Datagram datagram = receive();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(datagram.status, Status::kMessage);
  EXPECT_TRUE(datagram.fd_lost);
  EXPECT_EQ(datagram.fd_count, 0U);
}

TEST_F(DatagramTest, SendCarriesDescriptors) {
  const std::array<int, 2> fds{STDIN_FILENO, STDOUT_FILENO};
  wire::BrokerMessage message;
  message.mutable_channel_ready();
  ASSERT_EQ(session::send(broker_.get(), message.SerializeAsString(), fds), 0);
  const auto received = peer_.receive();
  ASSERT_TRUE(received);
  EXPECT_EQ(received->fds.size(), 2U);
}

TEST_F(DatagramTest, SendNeverBlocksAndRaisesNoSignal) {
  int error = 0;
  for (int i = 0; i < 100'000 && error == 0; ++i) error = session::send(broker_.get(), "x", {});
  EXPECT_EQ(error, EAGAIN);
  peer_.close();
  // The kernel tells first that there was something unread.
  EXPECT_THAT(session::send(broker_.get(), "x", {}), testing::AnyOf(EPIPE, ECONNRESET));
  EXPECT_EQ(session::send(broker_.get(), "x", {}), EPIPE);
}

}  // namespace
}  // namespace torno::session
