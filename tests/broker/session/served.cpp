#include "tests/broker/session/served.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace torno::session {
namespace {

std::map<std::string, std::string> policies(const std::string& root) {
  return {
      {"all", "file { path: \"" + root + "/**\" allow: [READ, WRITE, CREATE] type: FIFO }\n"},
      {"reader", "file { path: \"" + root + "/**\" allow: READ }\n"},
      {"nothing", "file { path: \"" + root + "/nothing\" allow: READ }\n"},
      {"typo", "file {\n  pth: \"/x\"\n}\n"},
      {"cwd", "file { path: \"${CWD}/**\" allow: READ }\n"},
  };
}

}  // namespace

Served::Served() : tornod_(policies(files_.path())) {
  files_.write("file", "content");
  // What the broker makes once and keeps, the programs of its policies, exists from here on.
  for (const char* policy : {"reader", "nothing"}) connect().hello(policy);
  {
    const test::RawPeer first = sealed();
    expect_serves(first.new_channel());
  }
  tornod_.wait_for_log("session ended");
  idle_fds_ = settled_fds();
}

// The broker closes what was a session's in its own time: the count that stays.
int Served::settled_fds() const {
  constexpr int kLooks = 20;
  int count = tornod_.count_fds();
  int looks = 0;
  test::eventually([&] {
    const int now = tornod_.count_fds();
    looks = std::exchange(count, now) == now ? looks + 1 : 0;
    return looks == kLooks;
  });
  return count;
}

Served::~Served() {
  {
    const test::RawPeer last = sealed();
    expect_serves(last.new_channel());
  }
  EXPECT_TRUE(tornod_.wait_for_fds(idle_fds_)) << tornod_.count_fds() << " not " << idle_fds_;
  EXPECT_EQ(tornod_.stop(), 0) << tornod_.log();
}

test::RawPeer Served::sealed() {
  test::RawPeer peer = connect();
  EXPECT_TRUE(peer.enter("all")) << tornod_.log();
  return peer;
}

std::string Served::make_fifo(const std::string& name) const {
  EXPECT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
  return path(name);
}

void Served::expect_serves(const test::RawPeer& channel) {
  ASSERT_TRUE(channel.is_valid()) << tornod_.log();
  const auto answer = channel.ask_and_wait(test::open_message(99, path("file"), O_RDONLY));
  ASSERT_TRUE(answer) << tornod_.log();
  EXPECT_EQ(answer->message.reply().sequence(), 99U);
  EXPECT_EQ(answer->message.reply().result(), 0);
  ASSERT_EQ(answer->fds.size(), 1U);
  char text[16] = {};
  EXPECT_EQ(::read(answer->fds[0].get(), text, sizeof text), 7);
  EXPECT_STREQ(text, "content");
}

}  // namespace torno::session
