// Descriptors whose close waits: by themselves, and sent to a broker, whose io thread must never
// be the one that waits.
#include "broker/session/closer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/broker/session/lingering.h"
#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::eventually;
using test::RawPeer;

// Is the process, or thread, inside close(2)?
bool is_closing(const std::filesystem::path& in_proc) {
  std::ifstream file(in_proc / "syscall");
  long number = -1;
  file >> number;
  return number == SYS_close;
}

std::size_t closing_threads() {
  std::size_t count = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (is_closing(thread.path())) ++count;
  }
  return count;
}

// A pipe whose one end somebody is to close.
struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }
  bool is_closed(int wait_ms) const {
    pollfd end{out.get(), POLLIN, 0};
    return ::poll(&end, 1, wait_ms) == 1;
  }
  Fd out;
  Fd in;
};

constexpr int kGenerous = 60'000;

TEST(LingeringTest, ItsLastCloseWaits) {
  const pid_t child = ::fork();
  if (child == 0) {
    Lingering lingering;
    lingering.make().reset();
    ::_exit(0);
  }
  EXPECT_TRUE(eventually([child] { return is_closing("/proc/" + std::to_string(child)); }));
  ::kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "it did not wait";
}

TEST(CloserTest, Closes) {
  Closer closer;
  Closer::Lane lane = closer.make_lane();
  Pipe pipe;
  lane.close(std::move(pipe.in));
  EXPECT_TRUE(pipe.is_closed(kGenerous));
  EXPECT_TRUE(closer.drain(std::chrono::minutes(1)));
}

TEST(CloserTest, WhatLingersIsInterrupted) {
  Lingering lingering;
  Closer closer;
  std::vector<Closer::Lane> lanes;
  for (std::size_t i = 0; i < 2 * Closer::kSharedThreads; ++i) {
    lanes.push_back(closer.make_lane());
    EXPECT_EQ(lanes.back().close(lingering.make()), 1U);
  }
  EXPECT_TRUE(closer.drain(std::chrono::minutes(1)));
}

TEST(CloserTest, ALaneCountsWhatIsNotClosedYet) {
  Lingering lingering;
  Closer closer;
  Closer::Lane lane = closer.make_lane();
  for (int i = 0; i < 5; ++i) EXPECT_GE(lane.close(lingering.make()), 1U);
  EXPECT_TRUE(eventually([&] { return lane.close(Fd(::dup(STDERR_FILENO))) == 1; }));
  EXPECT_TRUE(closer.drain(std::chrono::minutes(1)));
}

// However many of its closes never end.
TEST(CloserTest, APeerLeavesEveryOtherItsReserve) {
  constexpr pid_t kHostile = 1000;
  Lingering lingering;
  Closer closer;
  Pipe hostiles;
  {
    const Uninterruptible uninterruptible;
    for (std::size_t i = 0; i < Closer::kSharedThreads; ++i) {
      closer.make_lane(kHostile).close(lingering.make());
    }
    ASSERT_TRUE(eventually([] { return closing_threads() == Closer::kSharedThreads; }));
    closer.make_lane(kHostile).close(std::move(hostiles.in));
    for (pid_t other = kHostile + 1; other < kHostile + 4; ++other) {
      for (std::size_t i = 1; i < Closer::kReservedThreads; ++i) {
        closer.make_lane(other).close(lingering.make());
      }
      Pipe pipe;
      closer.make_lane(other).close(std::move(pipe.in));
      EXPECT_TRUE(pipe.is_closed(kGenerous));
    }
    EXPECT_FALSE(hostiles.is_closed(0)) << "positive control: all threads it may have are held";
  }
  EXPECT_TRUE(hostiles.is_closed(kGenerous));
  EXPECT_TRUE(closer.drain(std::chrono::minutes(1)));
}

class HeldThread : public Served {
 protected:
  // An answer on another session's channel, which the same io thread serves.
  void expect_serves_others() {
    ASSERT_EQ(other_channel_.send(test::open_message(99, path("file"), O_RDONLY)), 0);
    pollfd answer{other_channel_.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&answer, 1, kGenerous), 1) << "the io thread is held";
    EXPECT_TRUE(other_channel_.receive());
  }

  // A request whose descriptors are the only copies left: the broker sleeps until they are.
  void send_last(const RawPeer& socket, const wire::ClientMessage& message, int count = 1) {
    stop_broker();
    send_last_to_sleeper(socket, message, count);
    ASSERT_EQ(::kill(tornod_.pid(), SIGCONT), 0);
  }

  void stop_broker() const {
    ASSERT_EQ(::kill(tornod_.pid(), SIGSTOP), 0);
    siginfo_t stopped{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(tornod_.pid()), &stopped, WSTOPPED), 0);
  }

  void send_last_to_sleeper(const RawPeer& socket, const wire::ClientMessage& message,
                            int count = 1) {
    std::vector<Fd> owned;
    std::vector<int> sent;
    for (int i = 0; i < count; ++i) {
      owned.push_back(lingering_.make());
      sent.push_back(owned.back().get());
    }
    ASSERT_EQ(socket.send(message, sent), 0);
  }

  wire::ClientMessage request_with_fd(wire::Directory directory) const {
    wire::ClientMessage message = test::open_message(1, "file", O_RDONLY);
    message.mutable_request()->set_directory(directory);
    message.mutable_request()->set_channel(channel_.id());
    return message;
  }

  Lingering lingering_;
  const RawPeer other_ = sealed();
  const RawPeer other_channel_ = other_.new_channel();
  const RawPeer peer_ = sealed();
  const RawPeer channel_ = peer_.new_channel();
};

TEST_F(HeldThread, ByADirectoryThatIsNone) {
  send_last(peer_, request_with_fd(wire::DIRECTORY_FD));
  expect_serves_others();
  EXPECT_EQ(channel_.receive()->message.reply().result(), -ENOTDIR);
}

TEST_F(HeldThread, ByTheClientsOwnDescriptor) {
  send_last(peer_, request_with_fd(wire::DIRECTORY_SELF_FD));
  expect_serves_others();
  // It comes back, and this test is not to wait either.
  const auto answer = channel_.receive();
  ASSERT_TRUE(answer && answer->fds.size() == 1);
  const linger none{};
  ::setsockopt(answer->fds[0].get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

TEST_F(HeldThread, ByARefusedConnect) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  wire::ClientMessage message = test::request_message(
      2, std::string(reinterpret_cast<const char*>(&address), sizeof address));
  message.mutable_request()->mutable_connect();
  message.mutable_request()->set_channel(channel_.id());
  send_last(peer_, message);
  expect_serves_others();
}

TEST_F(HeldThread, ByTooManyDescriptors) {
  send_last(peer_, request_with_fd(wire::DIRECTORY_FD), 2);
  expect_serves_others();
  EXPECT_TRUE(peer_.wait_for_end());
}

// More than the broker looks at: the kernel must not be the one that closes them, on this thread.
TEST_F(HeldThread, ByFarTooManyDescriptors) {
  send_last(peer_, request_with_fd(wire::DIRECTORY_FD), 8);
  expect_serves_others();
  EXPECT_TRUE(peer_.wait_for_end());
}

TEST_F(HeldThread, ByDescriptorsOnAChannel) {
  send_last(channel_, test::open_message(1, path("file"), O_RDONLY));
  expect_serves_others();
  EXPECT_TRUE(peer_.wait_for_end());
}

// Dropped unread, with the socket they lie in.
TEST_F(HeldThread, ByMessagesThatAreNeverRead) {
  stop_broker();
  ASSERT_EQ(peer_.send_bytes("no message"), 0);
  send_last_to_sleeper(peer_, request_with_fd(wire::DIRECTORY_FD));
  send_last_to_sleeper(channel_, request_with_fd(wire::DIRECTORY_FD));
  ASSERT_EQ(::kill(tornod_.pid(), SIGCONT), 0);
  expect_serves_others();
  EXPECT_TRUE(peer_.wait_for_end());
}

// Inside another socket, among the messages nobody reads.
TEST_F(HeldThread, ByASocketWithinASocket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  {
    const RawPeer inner{Fd(ends[0])};
    const Fd outer(ends[1]);
    stop_broker();
    send_last_to_sleeper(inner, request_with_fd(wire::DIRECTORY_FD));
    ASSERT_EQ(peer_.send(request_with_fd(wire::DIRECTORY_FD), {outer.get()}), 0);
  }
  ASSERT_EQ(::kill(tornod_.pid(), SIGCONT), 0);
  expect_serves_others();
}

}  // namespace
}  // namespace torno::session
