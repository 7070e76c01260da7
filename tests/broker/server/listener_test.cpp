#include "broker/server/listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "broker/files/protected.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"

namespace torno::server {
namespace {

using testing::HasSubstr;

class ListenerTest : public testing::Test {
 protected:
  bool exists() const { return ::access(path_.c_str(), F_OK) == 0; }

  // Leaves a socket file that nobody listens on.
  void leave_stale() const {
    const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/broker.sock";
};

TEST_F(ListenerTest, IsItsOwnersAlone) {
  const mode_t before = ::umask(0);
  const auto listener = Listener::bind(path_);
  EXPECT_EQ(::umask(before), 0U) << "the umask is as it was";
  ASSERT_TRUE(listener) << listener.error().message;
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_TRUE(test::RawPeer::connect(path_).is_valid());
}

TEST_F(ListenerTest, RemovesItsSocket) {
  {
    const auto listener = Listener::bind(path_);
  }
  EXPECT_FALSE(exists());
}

TEST_F(ListenerTest, LeavesWhatIsNotItsOwn) {
  {
    const auto listener = Listener::bind(path_);
    ASSERT_EQ(::unlink(path_.c_str()), 0);
    directory_.write("broker.sock", "somebody's");
  }
  EXPECT_TRUE(exists());
}

TEST_F(ListenerTest, TakesThePlaceOfAStaleSocket) {
  leave_stale();
  ASSERT_TRUE(exists());
  const auto listener = Listener::bind(path_);
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_TRUE(test::RawPeer::connect(path_).is_valid());
}

// Whoever may read a folder may lock it, a sealed worker too.
TEST_F(ListenerTest, ALockedFolderKeepsNobodyFromStarting) {
  const Fd folder(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(folder.get(), LOCK_EX), 0);
  leave_stale();
  const auto listener = Listener::bind(path_);
  EXPECT_TRUE(listener) << listener.error().message;
  EXPECT_NE(::access(files::lock_of(path_).c_str(), F_OK), 0) << "the lock stayed behind";
}

TEST_F(ListenerTest, BrokersThatStartAtOnceMakeOneSocket) {
  constexpr int kBrokers = 8;
  for (int round = 0; round < 10; ++round) {
    ::unlink(path_.c_str());
    leave_stale();
    int said[2];
    int held[2];
    ASSERT_EQ(::pipe2(said, O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(held, O_CLOEXEC), 0);
    std::vector<pid_t> brokers;
    for (int i = 0; i < kBrokers; ++i) {
      brokers.push_back(::fork());
      if (brokers.back() != 0) continue;
      ::close(held[1]);
      const auto listener = Listener::bind(path_);
      char byte = listener ? '1' : '0';
      (void)!::write(said[1], &byte, 1);
      (void)!::read(held[0], &byte, 1);  // to the end of the round
      ::_exit(0);
    }
    int made = 0;
    for (int i = 0; i < kBrokers; ++i) {
      char byte = 0;
      ASSERT_EQ(::read(said[0], &byte, 1), 1);
      made += byte - '0';
    }
    EXPECT_EQ(made, 1);
    EXPECT_TRUE(test::RawPeer::connect(path_).is_valid());
    for (const int fd : {held[0], held[1], said[0], said[1]}) ::close(fd);
    for (const pid_t broker : brokers) ::waitpid(broker, nullptr, 0);
  }
}

TEST_F(ListenerTest, WaitsForItsTurnAndGivesUp) {
  const Fd held(::open(files::lock_of(path_).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  const auto listener = Listener::bind(path_);
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error().message, HasSubstr("another broker holds"));
}

TEST_F(ListenerTest, NotOfOneThatAnswers) {
  const auto first = Listener::bind(path_);
  const auto second = Listener::bind(path_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("something answers"));
  EXPECT_TRUE(test::RawPeer::connect(path_).is_valid());
}

TEST_F(ListenerTest, NotOfAFile) {
  directory_.write("broker.sock", "precious");
  const auto listener = Listener::bind(path_);
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error().message, HasSubstr("no socket"));
  EXPECT_TRUE(exists());
}

// A symlink in a folder that others may write to must not lead the broker elsewhere.
TEST_F(ListenerTest, NotOfASymlink) {
  const std::string target = directory_.path() + "/target";
  ASSERT_EQ(::symlink(target.c_str(), path_.c_str()), 0);
  EXPECT_FALSE(Listener::bind(path_));
  EXPECT_NE(::access(target.c_str(), F_OK), 0);
}

TEST_F(ListenerTest, PathsThatCannotBe) {
  EXPECT_FALSE(Listener::bind(""));
  EXPECT_FALSE(Listener::bind(directory_.path() + "/" + std::string(200, 'x')));
  EXPECT_FALSE(Listener::bind(directory_.path() + "/missing/broker.sock"));
}

TEST_F(ListenerTest, AdoptsAListeningSeqpacketSocketOnly) {
  auto bound = Listener::bind(path_);
  ASSERT_TRUE(bound);
  const auto adopted = Listener::adopt(Fd(::dup(bound->fd())));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->path(), path_);
  EXPECT_FALSE(Listener::adopt(Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0))));
  EXPECT_FALSE(Listener::adopt(Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))));
  EXPECT_FALSE(Listener::adopt(Fd(::dup(STDERR_FILENO))));
}

}  // namespace
}  // namespace torno::server
