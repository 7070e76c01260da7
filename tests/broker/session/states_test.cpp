// Each message in each state on each socket: what the table permits works, all else ends the
// session and no other.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "tests/broker/session/served.h"

namespace torno::session {
namespace {

using test::RawPeer;

enum class State { kNew, kWelcomed, kSealed };
constexpr State kStates[] = {State::kNew, State::kWelcomed, State::kSealed};

struct Message {
  const char* name;
  wire::ClientMessage message;
  std::vector<int> fds;
  std::vector<State> control;  // states that permit it on the control socket
  std::vector<State> channel;  // and on a channel
};

wire::ClientMessage with_call(void (*set)(wire::Request&),
                              wire::Directory directory = wire::DIRECTORY_NONE) {
  wire::ClientMessage message = test::request_message(1, "/nowhere");
  message.mutable_request()->set_directory(directory);
  set(*message.mutable_request());
  return message;
}

wire::ClientMessage on_channel(wire::ClientMessage message) {
  message.mutable_request()->set_channel(1);
  return message;
}

std::vector<Message> messages() {
  const auto open = [](wire::Request& request) { request.mutable_open(); };
  const auto stat = [](wire::Request& request) { request.mutable_stat(); };
  const auto access = [](wire::Request& request) { request.mutable_access(); };
  const auto readlink = [](wire::Request& request) { request.mutable_readlink(); };
  const auto connect = [](wire::Request& request) { request.mutable_connect(); };
  const auto narrow = [](wire::Request& request) { request.mutable_narrow(); };
  const auto nothing = [](wire::Request&) {};
  const State sealed = State::kSealed;
  const int fd = STDIN_FILENO;
  return {
      {"Hello", test::hello_message("all"), {}, {State::kNew}, {}},
      {"NewChannel", test::new_channel_message(), {}, {State::kWelcomed, sealed}, {}},
      {"Sealed", test::sealed_message(~0U), {}, {State::kWelcomed}, {}},
      {"Cancel", test::cancel_message(1), {}, {}, {sealed}},
      {"Open", with_call(open), {}, {}, {sealed}},
      {"Stat", with_call(stat), {}, {}, {sealed}},
      {"Access", with_call(access), {}, {}, {sealed}},
      {"Readlink", with_call(readlink), {}, {}, {sealed}},
      {"Narrow", with_call(narrow), {}, {}, {sealed}},
      {"Open at a fd", on_channel(with_call(open, wire::DIRECTORY_FD)), {fd}, {sealed}, {}},
      {"Stat at a fd", on_channel(with_call(stat, wire::DIRECTORY_FD)), {fd}, {sealed}, {}},
      {"Access of a fd",
       on_channel(with_call(access, wire::DIRECTORY_SELF_FD)),
       {fd},
       {sealed},
       {}},
      {"Readlink at a fd", on_channel(with_call(readlink, wire::DIRECTORY_FD)), {fd}, {sealed}, {}},
      {"Connect", on_channel(with_call(connect)), {fd}, {sealed}, {}},
      {"Connect at a fd", on_channel(with_call(connect, wire::DIRECTORY_FD)), {fd}, {}, {}},
      {"Open of an unknown channel", with_call(open, wire::DIRECTORY_FD), {fd}, {}, {}},
      {"Open on the control socket", on_channel(with_call(open)), {}, {}, {}},
      {"Narrow at a fd", on_channel(with_call(narrow, wire::DIRECTORY_FD)), {fd}, {}, {}},
      {"Request of nothing", with_call(nothing), {}, {}, {}},
      {"no message", {}, {}, {}, {}},
      // The wrong number of descriptors, where the message alone would be right.
      {"Hello with a fd", test::hello_message("all"), {fd}, {}, {}},
      {"NewChannel with a fd", test::new_channel_message(), {fd}, {}, {}},
      {"Sealed with a fd", test::sealed_message(~0U), {fd}, {}, {}},
      {"Cancel with a fd", test::cancel_message(1), {fd}, {}, {}},
      {"Open with a fd", with_call(open), {fd}, {}, {}},
      {"Open without its fd", on_channel(with_call(open, wire::DIRECTORY_FD)), {}, {}, {}},
      {"Open with two", on_channel(with_call(open, wire::DIRECTORY_FD)), {fd, fd}, {}, {}},
      {"Connect without a socket", on_channel(with_call(connect)), {}, {}, {}},
      {"Connect with two", on_channel(with_call(connect)), {fd, fd}, {}, {}},
      {"253 fds", with_call(open), std::vector<int>(253, fd), {}, {}},
  };
}

bool contains(const std::vector<State>& states, State state) {
  return std::ranges::find(states, state) != states.end();
}

class States : public Served {
 protected:
  // A peer in `state`, and a channel of its if the state has any.
  std::pair<RawPeer, RawPeer> in_state(State state) {
    RawPeer peer = connect();
    if (state == State::kNew) return {std::move(peer), RawPeer(Fd())};
    const auto welcome = peer.hello("all");
    RawPeer channel = peer.new_channel();
    if (state == State::kSealed) peer.seal(welcome->message.welcome().layers());
    return {std::move(peer), std::move(channel)};
  }

  // Does the session go on?
  bool lives(const RawPeer& peer, State state) {
    if (state == State::kNew) return peer.hello("all").has_value();
    return peer.new_channel().is_valid();
  }
};

TEST_F(States, EveryMessageOnTheControlSocket) {
  const RawPeer other = sealed();
  const RawPeer other_channel = other.new_channel();
  for (const Message& message : messages()) {
    for (const State state : kStates) {
      SCOPED_TRACE(std::string(message.name) + " in state " +
                   std::to_string(static_cast<int>(state)));
      const auto [peer, channel] = in_state(state);
      ASSERT_EQ(peer.send(message.message, message.fds), 0);
      if (!contains(message.control, state)) {
        EXPECT_TRUE(peer.wait_for_end());
        EXPECT_TRUE(!channel.is_valid() || channel.wait_for_end());
        continue;
      }
      if (message.message.has_request()) {
        EXPECT_TRUE(channel.receive());
      } else if (!message.message.has_sealed()) {
        EXPECT_TRUE(peer.receive());
      }
      EXPECT_TRUE(lives(peer, state == State::kNew ? State::kWelcomed : state));
    }
  }
  expect_serves(other_channel);
}

TEST_F(States, EveryMessageOnAChannel) {
  const RawPeer other = sealed();
  const RawPeer other_channel = other.new_channel();
  for (const Message& message : messages()) {
    for (const State state : {State::kWelcomed, State::kSealed}) {
      SCOPED_TRACE(std::string(message.name) + " in state " +
                   std::to_string(static_cast<int>(state)));
      const auto [peer, channel] = in_state(state);
      ASSERT_EQ(channel.send(message.message, message.fds), 0);
      if (!contains(message.channel, state)) {
        EXPECT_TRUE(peer.wait_for_end());
        EXPECT_TRUE(channel.wait_for_end());
        continue;
      }
      EXPECT_TRUE(!message.message.has_request() || channel.receive());
      EXPECT_TRUE(lives(peer, state));
    }
  }
  expect_serves(other_channel);
}

TEST_F(States, AChannelNamedOnAChannel) {
  const RawPeer peer = sealed();
  const RawPeer channel = peer.new_channel();
  wire::ClientMessage open = test::open_message(1, path("file"), O_RDONLY);
  open.mutable_request()->set_channel(channel.id());
  ASSERT_EQ(channel.send(open), 0);
  EXPECT_TRUE(peer.wait_for_end());
}

// Another process of the session may have died between its request and this moment.
TEST_F(States, AChannelThatIsGoneIsNoViolation) {
  const RawPeer peer = sealed();
  RawPeer channel = peer.new_channel();
  wire::ClientMessage open = test::open_message(1, "file", O_RDONLY);
  open.mutable_request()->set_directory(wire::DIRECTORY_FD);
  open.mutable_request()->set_channel(channel.id());
  channel.close();
  expect_serves(peer.new_channel());
  ASSERT_EQ(peer.send(open, {STDIN_FILENO}), 0);
  expect_serves(peer.new_channel());
}

}  // namespace
}  // namespace torno::session
