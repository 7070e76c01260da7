// A Server inside the test, where its options that no command line sets can be set.
#include "broker/server/server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "broker/server/listener.h"
#include "tests/support/processes.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"

namespace torno::server {
namespace {

using test::RawPeer;

class Running {
 public:
  explicit Running(Options options) {
    directory_.write("any.policy", "");
    options.policy_directories = {directory_.path()};
    options.audit_fd = log_.get();
    auto listener = Listener::bind(path());
    listener_ = std::make_unique<Listener>(std::move(*listener));
    auto server = Server::create(options, path());
    server_ = std::make_unique<Server>(std::move(*server));
    server_->serve_listener(listener_->fd());
    thread_ = std::thread([this] { EXPECT_TRUE(server_->run()); });
  }
  ~Running() {
    server_->stop();
    thread_.join();
    EXPECT_TRUE(server_->drained());
  }

  std::string path() const { return directory_.path() + "/broker.sock"; }

 private:
  test::TemporaryDirectory directory_;
  const Fd log_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST(ServerTest, AnIdleHandshakeEnds) {
  Options options;
  options.handshake_timeout = std::chrono::milliseconds(20);
  const Running running(options);
  const RawPeer silent = RawPeer::connect(running.path());
  EXPECT_TRUE(silent.wait_for_end());
  const RawPeer unsealed = RawPeer::connect(running.path());
  unsealed.hello("any");
  EXPECT_TRUE(unsealed.wait_for_end());
}

TEST(ServerTest, ASealedSessionMayIdle) {
  Options options;
  options.handshake_timeout = std::chrono::seconds(2);
  const Running running(options);
  const RawPeer peer = RawPeer::connect(running.path());
  ASSERT_TRUE(peer.enter("any"));
  ASSERT_TRUE(peer.new_channel().is_valid());
  const RawPeer silent = RawPeer::connect(running.path());
  EXPECT_TRUE(silent.wait_for_end());
  EXPECT_TRUE(peer.new_channel().is_valid());
}

TEST(ServerTest, SessionsOnManyThreads) {
  Options options;
  options.threads = 4;
  const Running running(options);
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&running] {
      for (int n = 0; n < 20; ++n) {
        const RawPeer peer = RawPeer::connect(running.path());
        ASSERT_TRUE(peer.enter("any"));
        const RawPeer channel = peer.new_channel();
        wire::ClientMessage stat = test::request_message(1, "/");
        stat.mutable_request()->mutable_stat();
        ASSERT_TRUE(channel.ask(stat));
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

TEST(ServerTest, StopsInTheMiddleOfEverything) {
  const int before = test::count_fds(::getpid());
  for (int i = 0; i < 10; ++i) {
    std::vector<RawPeer> peers;
    Options options;
    options.threads = 2;
    const Running running(options);
    for (int n = 0; n < 10; ++n) {
      peers.push_back(RawPeer::connect(running.path()));
      if (n % 3 > 0) peers.back().send(test::hello_message("any"));
      if (n % 3 > 1) peers.back().send(test::new_channel_message());
    }
  }
  EXPECT_EQ(test::count_fds(::getpid()), before);
}

}  // namespace
}  // namespace torno::server
