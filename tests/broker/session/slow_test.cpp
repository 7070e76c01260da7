// Requests that wait: a FIFO that nobody has opened for writing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "broker/session/limits.h"
#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::RawPeer;

class Slow : public Served {
 protected:
  // Opens the FIFO on `channel`, up to the answer that it takes long.
  void expect_pending(const RawPeer& channel, unsigned sequence) {
    const auto answer = channel.ask(test::open_message(sequence, fifo_, O_RDONLY));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->message.reply().sequence(), sequence);
    EXPECT_TRUE(answer->message.reply().pending());
    EXPECT_TRUE(answer->fds.empty());
  }

  // Lets those that wait go on.
  Fd open_for_writing() const { return Fd(::open(fifo_.c_str(), O_WRONLY | O_CLOEXEC)); }

  const std::string fifo_ = make_fifo("fifo");
  const RawPeer peer_ = sealed();
  const RawPeer channel_ = peer_.new_channel();
};

TEST_F(Slow, AnswersWhenItIsDone) {
  expect_pending(channel_, 1);
  const Fd writer = open_for_writing();
  const auto answer = channel_.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message.reply().sequence(), 1U);
  EXPECT_FALSE(answer->message.reply().pending());
  EXPECT_EQ(answer->message.reply().result(), 0);
  ASSERT_EQ(answer->fds.size(), 1U);
  EXPECT_EQ(::write(writer.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(answer->fds[0].get(), &byte, 1), 1);
  expect_serves(channel_);
}

// Its process number may be another's by then, and with it /proc/self.
TEST_F(Slow, OfAProcessThatIsGoneTellsNothing) {
  for (const bool dies : {false, true}) {
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    const Fd out(pipe[0]);
    const Fd in(pipe[1]);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto pending = channel_.ask(test::open_message(1, fifo_, O_RDONLY));
      (void)!::write(in.get(), pending && pending->message.reply().pending() ? "1" : "0", 1);
      ::pause();
    }
    char pending = 0;
    EXPECT_EQ(::read(out.get(), &pending, 1), 1);
    EXPECT_EQ(pending, '1');
    const auto end_child = [child] {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    };
    if (dies) end_child();
    const Fd writer = open_for_writing();
    const auto answer = channel_.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->message.reply().result(), dies ? -ESRCH : 0);
    EXPECT_EQ(answer->fds.size(), dies ? 0U : 1U);
    if (!dies) end_child();
  }
}

TEST_F(Slow, DelaysNoOther) {
  expect_pending(channel_, 1);
  expect_serves(peer_.new_channel());
  expect_serves(sealed().new_channel());
}

TEST_F(Slow, CancelInterrupts) {
  for (unsigned i = 1; i < 50; ++i) {
    expect_pending(channel_, i);
    ASSERT_EQ(channel_.send(test::cancel_message(i)), 0);
    const auto answer = channel_.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->message.reply().sequence(), i);
    EXPECT_EQ(answer->message.reply().result(), -EINTR);
  }
  expect_serves(channel_);
}

TEST_F(Slow, ALateCancelIsIgnored) {
  expect_pending(channel_, 1);
  const Fd writer = open_for_writing();
  EXPECT_TRUE(channel_.receive());
  ASSERT_EQ(channel_.send(test::cancel_message(1)), 0);
  expect_serves(channel_);
}

TEST_F(Slow, CancelOfAnotherRequestIsAViolation) {
  expect_pending(channel_, 1);
  ASSERT_EQ(channel_.send(test::cancel_message(2)), 0);
  EXPECT_TRUE(peer_.wait_for_end());
}

TEST_F(Slow, ASecondRequestOnABusyChannelIsAViolation) {
  expect_pending(channel_, 1);
  ASSERT_EQ(channel_.send(test::open_message(2, path("file"), O_RDONLY)), 0);
  EXPECT_TRUE(peer_.wait_for_end());
  EXPECT_TRUE(tornod_.wait_for_log("openat: a second request on a busy channel"));
}

TEST_F(Slow, EndsWithItsChannel) {
  for (unsigned i = 0; i < 20; ++i) {
    const RawPeer channel = peer_.new_channel();
    expect_pending(channel, i);
  }
}

TEST_F(Slow, EndsWithItsSession) {
  for (unsigned i = 0; i < 20; ++i) {
    const RawPeer peer = sealed();
    expect_pending(peer.new_channel(), i);
    const RawPeer channel = peer.new_channel();
    expect_pending(channel, i);
  }
}

// A worker that opens FIFO after FIFO leaves threads for the others.
TEST_F(Slow, ASessionHasABound) {
  std::vector<RawPeer> channels;
  for (unsigned i = 0; i < kMaxSlowRequests; ++i) {
    channels.push_back(peer_.new_channel());
    expect_pending(channels.back(), i);
  }
  const auto answer = channel_.ask(test::open_message(1, fifo_, O_RDONLY));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message.reply().result(), -ENFILE);

  const RawPeer other = sealed();
  const RawPeer other_channel = other.new_channel();
  expect_pending(other_channel, 1);

  channels.clear();
  EXPECT_TRUE(test::eventually([&] {
    const auto again = channel_.ask(test::open_message(1, fifo_, O_RDONLY));
    return again && again->message.reply().pending();
  }));
}

}  // namespace
}  // namespace torno::session
