#include "broker/server/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

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
