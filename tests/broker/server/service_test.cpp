// tornod --socket as a whole.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "proto/audit.pb.h"
#include "tests/support/processes.h"
#include "tests/support/raw_peer.h"
#include "tests/support/tornod_process.h"

namespace torno::server {
namespace {

using test::RawPeer;
using test::TornodProcess;

int open_result(const RawPeer& channel, const std::string& path) {
  const auto answer = channel.ask_and_wait(test::open_message(1, path, O_RDONLY));
  return answer ? answer->message.reply().result() : -1;
}

TEST(ServiceTest, TwoPoliciesOnOneBroker) {
  const test::TemporaryDirectory files;
  const std::string left = files.write("left", "");
  const std::string right = files.write("right", "");
  const TornodProcess tornod(
      test::Policies{{"left", "file { path: \"" + left + "\" allow: READ }"},
                     {"right", "file { path: \"" + right + "\" allow: READ }"}});
  const RawPeer one = RawPeer::connect(tornod.socket_path());
  const RawPeer two = RawPeer::connect(tornod.socket_path());
  ASSERT_TRUE(one.enter("left"));
  ASSERT_TRUE(two.enter("right"));
  const RawPeer first = one.new_channel();
  const RawPeer second = two.new_channel();
  EXPECT_EQ(open_result(first, left), 0);
  EXPECT_EQ(open_result(first, right), -EACCES);
  EXPECT_EQ(open_result(second, left), -EACCES);
  EXPECT_EQ(open_result(second, right), 0);
  EXPECT_TRUE(tornod.wait_for_log("policy=left session="));
  EXPECT_TRUE(tornod.wait_for_log("policy=right session="));
}

// Who connects waits; the log says why, once, and the broker goes on when there is room again.
TEST(ServiceTest, SaysThatItIsOutOfDescriptors) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "UBSan looks at an object's memory through a pipe, and ends a broker that has none";
#endif
  const TornodProcess tornod(test::Policies{{"any", ""}});
  const RawPeer first = RawPeer::connect(tornod.socket_path());
  ASSERT_TRUE(first.enter("any"));
  rlimit before{};
  ASSERT_EQ(::prlimit(tornod.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::prlimit(tornod.pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  const RawPeer second = RawPeer::connect(tornod.socket_path());
  const RawPeer third = RawPeer::connect(tornod.socket_path());
  constexpr char kSaid[] = "tornod: error: cannot accept a connection: Too many open files";
  EXPECT_TRUE(tornod.wait_for_log(kSaid)) << tornod.log();
  ASSERT_EQ(::prlimit(tornod.pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  EXPECT_TRUE(second.enter("any"));
  EXPECT_TRUE(third.enter("any"));
  const std::string log = tornod.log();
  EXPECT_EQ(log.find(kSaid), log.rfind(kSaid)) << log;
}

TEST(ServiceTest, EndsBySignalAndRemovesItsSocket) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    TornodProcess tornod(test::Policies{{"any", ""}});
    const RawPeer peer = RawPeer::connect(tornod.socket_path());
    ASSERT_TRUE(peer.enter("any"));
    ASSERT_EQ(::kill(tornod.pid(), signal), 0);
    EXPECT_TRUE(peer.wait_for_end());
    EXPECT_TRUE(test::eventually([&tornod] { return !tornod.is_running(); }));
    EXPECT_EQ(tornod.stop(), 0);
    EXPECT_NE(::access(tornod.socket_path().c_str(), F_OK), 0);
  }
}

// nohup starts it with SIGHUP ignored, so that it outlives the terminal.
TEST(ServiceTest, UnderNohupAHangupIsIgnored) {
  const auto before = ::signal(SIGHUP, SIG_IGN);
  TornodProcess tornod(test::Policies{{"any", ""}});
  ::signal(SIGHUP, before);
  ASSERT_EQ(::kill(tornod.pid(), SIGHUP), 0);
  EXPECT_TRUE(RawPeer::connect(tornod.socket_path()).enter("any"));
  EXPECT_EQ(tornod.stop(), 0);
}

// As from somebody who presses Ctrl-C again and again.
TEST(ServiceTest, SignalsDuringItsEndLeaveNoSocketBehind) {
  for (int round = 0; round < 20; ++round) {
    TornodProcess tornod(test::Policies{{"any", ""}});
    ASSERT_EQ(::access(tornod.socket_path().c_str(), F_OK), 0) << "positive control";
    const pid_t pid = tornod.pid();
    while (tornod.is_running()) {
      ::kill(pid, SIGTERM);
      ::kill(pid, SIGINT);
      ::kill(pid, SIGHUP);
      ::usleep(200);
    }
    EXPECT_NE(::access(tornod.socket_path().c_str(), F_OK), 0);
    EXPECT_EQ(tornod.stop(), 0);
  }
}

TEST(ServiceTest, EndsWithARequestThatWaits) {
  const test::TemporaryDirectory files;
  const std::string fifo = files.path() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  TornodProcess tornod(
      test::Policies{{"any", "file { path: \"" + fifo + "\" allow: READ type: FIFO }"}});
  const RawPeer peer = RawPeer::connect(tornod.socket_path());
  ASSERT_TRUE(peer.enter("any"));
  const RawPeer channel = peer.new_channel();
  const auto pending = channel.ask(test::open_message(1, fifo, O_RDONLY));
  ASSERT_TRUE(pending);
  EXPECT_TRUE(pending->message.reply().pending());
  EXPECT_EQ(tornod.stop(), 0);
  EXPECT_TRUE(channel.wait_for_end());
}

TEST(ServiceTest, LogsJson) {
  TornodProcess tornod(test::Policies{{"any", ""}}, {"--log-format", "json"});
  {
    const RawPeer peer = RawPeer::connect(tornod.socket_path());
    ASSERT_TRUE(peer.enter("any"));
    EXPECT_EQ(open_result(peer.new_channel(), "/etc/shadow"), -EACCES);
  }
  RawPeer::connect(tornod.socket_path()).hello("nosuch");
  EXPECT_TRUE(tornod.wait_for_log("refused"));
  EXPECT_TRUE(tornod.wait_for_log("ended"));
  EXPECT_EQ(tornod.stop(), 0);

  std::istringstream lines(tornod.log());
  std::vector<audit::Event::WhatCase> seen;
  for (std::string line; std::getline(lines, line);) {
    audit::Event event;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(line, &event).ok()) << line;
    seen.push_back(event.what_case());
    EXPECT_NE(event.time(), "");
    if (!event.has_violation()) continue;
    EXPECT_EQ(event.violation().path(), "/etc/shadow");
    EXPECT_EQ(event.violation().call(), "openat");
    EXPECT_EQ(event.violation().permission(), "READ");
    EXPECT_EQ(event.violation().error(), "EACCES");
    EXPECT_EQ(event.pid(), static_cast<unsigned>(::getpid()));
    EXPECT_EQ(event.policy(), "any");
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre(audit::Event::kStarted, audit::Event::kViolation,
                                                  audit::Event::kEnded, audit::Event::kRefused));
}

TEST(ServiceTest, SaysAPolicysWarningsOnce) {
  const test::TemporaryDirectory files;
  const std::string file = files.write("file", "");
  const std::string rule = "file { path: \"" + file + "\" allow: READ }\n";
  TornodProcess tornod(test::Policies{{"twice", rule + rule}});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(RawPeer::connect(tornod.socket_path()).enter("twice"));
  }
  EXPECT_TRUE(tornod.wait_for_log("twice.policy:2:"));
  const std::string log = tornod.log();
  EXPECT_EQ(log.find("twice.policy:2:"), log.rfind("twice.policy:2:"));
}

}  // namespace
}  // namespace torno::server
