#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "broker/filter/landlock.h"
#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::RawPeer;
using testing::HasSubstr;
using Handshake = Served;

wire::Refused refused(const RawPeer& peer, const wire::ClientMessage& hello) {
  EXPECT_EQ(peer.send(hello), 0);
  const auto answer = peer.receive();
  EXPECT_TRUE(answer && answer->message.has_refused());
  EXPECT_TRUE(peer.wait_for_end());
  return answer ? answer->message.refused() : wire::Refused();
}

TEST_F(Handshake, WelcomeCarriesWhatTheSealNeeds) {
  const RawPeer peer = connect();
  const auto answer = peer.hello("reader");
  ASSERT_TRUE(answer && answer->message.has_welcome());
  const wire::Welcome& welcome = answer->message.welcome();
  EXPECT_EQ(welcome.version(), 2U);
  EXPECT_EQ(welcome.policy(), "reader");
  const unsigned always = wire::LAYER_NO_NEW_PRIVS | wire::LAYER_SECCOMP | wire::LAYER_RLIMITS |
                          wire::LAYER_CAPABILITIES;
  EXPECT_EQ(welcome.layers() & always, always);
  const bool landlock = filter::landlock_abi() > 0;
  EXPECT_EQ((welcome.layers() & wire::LAYER_LANDLOCK) != 0, landlock);
  ASSERT_EQ(answer->fds.size(), landlock ? 2U : 1U);
  ASSERT_EQ(welcome.limits_size(), 1);
  EXPECT_EQ(welcome.limits(0).resource(), static_cast<unsigned>(RLIMIT_CORE));
  EXPECT_EQ(welcome.limits(0).hard(), 0U);
}

// One sandboxee must not change the program another one gets, nor move its offset.
TEST_F(Handshake, TheProgramCannotBeChanged) {
  const RawPeer one = connect();
  const RawPeer two = connect();
  const auto first = one.hello("reader");
  const auto second = two.hello("reader");
  ASSERT_TRUE(first && second);
  const int program = first->fds[0].get();
  const int same = second->fds[0].get();
  const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  EXPECT_EQ(::fcntl(program, F_GET_SEALS) & seals, seals);
  EXPECT_LT(::write(program, "x", 1), 0);
  EXPECT_LT(::ftruncate(program, 0), 0);
  EXPECT_EQ(::lseek(program, 8, SEEK_SET), 8);
  EXPECT_EQ(::lseek(same, 0, SEEK_CUR), 0);
}

TEST_F(Handshake, NoVersionInCommon) {
  for (const auto& [min, max] : {std::pair{3U, 9U}, std::pair{0U, 1U}}) {
    const wire::Refused answer = refused(connect(), test::hello_message("reader", min, max));
    EXPECT_EQ(answer.reason(), wire::Refused::REASON_VERSION);
    EXPECT_EQ(answer.min_version(), 2U);
    EXPECT_EQ(answer.max_version(), 2U);
    EXPECT_THAT(answer.message(), HasSubstr("install the same release"));
  }
  EXPECT_TRUE(tornod_.wait_for_log("no wire version in common"));
}

TEST_F(Handshake, AWiderRangeOfVersionsIsFine) {
  const RawPeer peer = connect();
  ASSERT_EQ(peer.send(test::hello_message("reader", 0, 7)), 0);
  const auto answer = peer.receive();
  ASSERT_TRUE(answer && answer->message.has_welcome());
  EXPECT_EQ(answer->message.welcome().version(), 2U);
}

TEST_F(Handshake, AnEmptyRangeOfVersionsIsAViolation) {
  const RawPeer peer = connect();
  ASSERT_EQ(peer.send(test::hello_message("reader", 2, 1)), 0);
  EXPECT_FALSE(peer.receive());
}

TEST_F(Handshake, OnlyNamesNamePolicies) {
  const std::string outside = files_.write("outside.policy", "");
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), outside, std::string("../policies/all"),
        std::string("./all"), std::string(".hidden"), std::string("all\0", 4), std::string("a\nb"),
        std::string(129, 'x')}) {
    const wire::Refused answer = refused(connect(), test::hello_message(name));
    EXPECT_EQ(answer.reason(), wire::Refused::REASON_POLICY) << name;
  }
}

// What a peer sends is escaped once, as \xNN, in the answer and in the log.
TEST_F(Handshake, AHostileNameIsEscapedOnce) {
  const wire::Refused answer = refused(connect(), test::hello_message("a\nb\\"));
  EXPECT_TRUE(answer.message().starts_with(R"('a\x0ab\\' is no policy's name)"))
      << answer.message();
  EXPECT_TRUE(tornod_.wait_for_log(R"(session refused: 'a\x0ab\\' is no policy's name)"));
}

// Tightening a policy, or taking it away, is for the next session, not for the next broker.
TEST_F(Handshake, ANewSessionGetsThePolicyAsItIsNow) {
  const RawPeer running = sealed();
  const RawPeer channel = running.new_channel();
  expect_serves(channel);
  const std::string file = tornod_.policy_directory() + "/all.policy";
  std::ifstream original(file);
  const std::string text{std::istreambuf_iterator<char>(original), {}};
  std::ofstream(file) << "";
  {
    const RawPeer tight = connect();
    ASSERT_TRUE(tight.enter("all"));
    const auto answer =
        tight.new_channel().ask_and_wait(test::open_message(1, path("file"), O_RDONLY));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->message.reply().result(), -EACCES);
  }
  std::filesystem::remove(file);
  EXPECT_THAT(refused(connect(), test::hello_message("all")).message(),
              HasSubstr("no policy 'all'"));
  expect_serves(channel);
  std::ofstream(file) << text;
}

TEST_F(Handshake, AMissingPolicy) {
  const wire::Refused answer = refused(connect(), test::hello_message("nosuch"));
  EXPECT_EQ(answer.reason(), wire::Refused::REASON_POLICY);
  EXPECT_TRUE(answer.message().starts_with("no policy 'nosuch'")) << answer.message();
  EXPECT_THAT(answer.message(), Not(HasSubstr("\n")));
}

TEST_F(Handshake, APolicyWithATypo) {
  const wire::Refused answer = refused(connect(), test::hello_message("typo"));
  EXPECT_EQ(answer.reason(), wire::Refused::REASON_POLICY);
  EXPECT_THAT(answer.message(), HasSubstr("typo.policy:2:"));
  EXPECT_LE(answer.message().size(), 480U);
  EXPECT_TRUE(tornod_.wait_for_log("typo.policy:2:"));
}

// Whoever chooses a variable's value chooses what the policy says.
TEST_F(Handshake, ASharedBrokerTakesNoVariables) {
  wire::ClientMessage hello = test::hello_message("all");
  hello.mutable_hello()->add_variables("TMPDIR=/etc");
  const wire::Refused answer = refused(connect(), hello);
  EXPECT_EQ(answer.reason(), wire::Refused::REASON_POLICY);
  EXPECT_THAT(answer.message(), HasSubstr("variables"));
}

TEST_F(Handshake, TheWorkingDirectoryIsWhatTheKernelSays) {
  const std::string before = std::filesystem::current_path();
  ASSERT_EQ(::chdir(files_.path().c_str()), 0);
  const RawPeer peer = connect();
  EXPECT_TRUE(peer.enter("cwd")) << tornod_.log();
  EXPECT_EQ(::chdir(before.c_str()), 0);
  const RawPeer channel = peer.new_channel();
  expect_serves(channel);
}

// A sandbox that is silently missing a layer is the worst bug there is.
TEST_F(Handshake, SealedWithoutALayerIsAViolation) {
  const RawPeer peer = connect();
  const auto welcome = peer.hello("all");
  ASSERT_TRUE(welcome);
  EXPECT_TRUE(peer.seal(welcome->message.welcome().layers() & ~unsigned{wire::LAYER_SECCOMP}));
  EXPECT_TRUE(peer.wait_for_end());
  EXPECT_TRUE(tornod_.wait_for_log("sealed: a layer that Welcome asked for is missing"));
}

// Sealed and the first request travel on different sockets.
TEST_F(Handshake, ARequestRightBehindSealedIsServed) {
  for (int i = 0; i < 200; ++i) {
    const RawPeer peer = connect();
    const auto welcome = peer.hello("all");
    ASSERT_TRUE(welcome);
    const RawPeer channel = peer.new_channel();
    ASSERT_TRUE(peer.seal(welcome->message.welcome().layers()));
    expect_serves(channel);
  }
}

TEST_F(Handshake, StartAndEndAreInTheLog) {
  {
    const RawPeer peer = sealed();
    expect_serves(peer.new_channel());
  }
  EXPECT_TRUE(tornod_.wait_for_log("session ended: 1 requests, 0 denied"));
  EXPECT_THAT(tornod_.log(), HasSubstr("session started"));
}

// A large policy takes long to load, and one with ${CWD} is loaded for each session.
TEST_F(Handshake, LoadingAPolicyHoldsNobodyUp) {
  std::string rules;
  for (int i = 0; i < 5'000; ++i) {
    rules += "file { path: \"${CWD}/x/" + std::to_string(i) + "/**\" allow: READ }\n";
  }
  std::ofstream(tornod_.policy_directory() + "/large.policy") << rules;
  const RawPeer other = sealed();
  const RawPeer channel = other.new_channel();
  EXPECT_TRUE(test::eventually([&] {
    const RawPeer peer = connect();
    EXPECT_EQ(peer.send(test::hello_message("large")), 0);
    EXPECT_TRUE(channel.ask(test::open_message(1, path("file"), O_RDONLY)));
    char byte = 0;
    const bool still_loading = ::recv(peer.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
    EXPECT_TRUE(peer.receive());
    return still_loading;
  }));
}

}  // namespace
}  // namespace torno::session
