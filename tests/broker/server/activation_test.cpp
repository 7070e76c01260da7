// Socket activation as systemd does it: descriptor 3, LISTEN_FDS and LISTEN_PID.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "broker/server/listener.h"
#include "tests/broker/server/run_tornod.h"
#include "tests/support/tornod_process.h"

namespace torno::server {
namespace {

using test::RawPeer;
using testing::HasSubstr;

// In the child, before exec.
void pass(int socket) {
  ::dup2(socket, 3);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

class ActivationTest : public testing::Test {
 protected:
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/broker.sock";
};

TEST_F(ActivationTest, ServesTheSocketAndLeavesItStanding) {
  directory_.write("any.policy", "");
  const auto listener = Listener::bind(path_);
  ASSERT_TRUE(listener);
  const pid_t child = ::fork();
  if (child == 0) {
    pass(listener->fd());
    ::execl(test::tornod_path().c_str(), "tornod", "--policies", directory_.path().c_str(),
            nullptr);
    ::_exit(127);
  }
  const RawPeer peer = RawPeer::connect(path_);
  EXPECT_TRUE(peer.enter("any"));
  ::kill(child, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST_F(ActivationTest, TellsTheManagerThatItIsReady) {
  const Fd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string notify = directory_.path() + "/notify";
  std::memcpy(address.sun_path, notify.data(), notify.size());
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", notify.c_str(), 1);
  test::TornodProcess tornod(test::Policies{});
  ::unsetenv("NOTIFY_SOCKET");
  char text[64] = {};
  ASSERT_GT(::recv(manager.get(), text, sizeof text - 1, 0), 0);
  EXPECT_STREQ(text, "READY=1");
}

TEST_F(ActivationTest, RefusesASocketOfAnotherKind) {
  const Ran ran = run_tornod({}, [] { pass(::socket(AF_UNIX, SOCK_STREAM, 0)); });
  EXPECT_EQ(ran.status, 125);
  EXPECT_THAT(ran.error, HasSubstr("ListenSequentialPacket="));
}

}  // namespace
}  // namespace torno::server
