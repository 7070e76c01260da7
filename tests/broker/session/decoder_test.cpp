#include "broker/session/decoder.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cerrno>
#include <deque>
#include <string>

#include "broker/session/limits.h"
#include "tests/support/raw_peer.h"

namespace torno::session {
namespace {

using Base = files::Place::Base;

// Views of what is kept for as long as the program runs.
Request request(wire::Directory directory, const std::string& path, const std::string& cwd = "") {
  static std::deque<std::string> kept;
  Request request;
  request.directory = directory;
  request.path = kept.emplace_back(path);
  request.cwd = kept.emplace_back(cwd);
  return request;
}

TEST(DecoderTest, DecodesAgainAndAgain) {
  Decoder decoder;
  for (int i = 0; i < 200; ++i) {
    wire::ClientMessage hello;
    hello.mutable_hello()->set_policy(std::string(static_cast<std::size_t>(i) * 20, 'x'));
    const wire::ClientMessage* message = decoder.decode(hello.SerializeAsString());
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(kind_of(*message), Kind::kHello);
    EXPECT_EQ(message->hello().policy(), hello.hello().policy());
    EXPECT_FALSE(decoder.new_answer().has_reply());
  }
}

// A sandboxee that asks without end must not make the broker grow.
TEST(DecoderTest, AnswersUseTheSameMemoryAgain) {
  Decoder decoder;
  const auto answer = [&decoder] {
    decoder.new_answer().mutable_reply()->set_target(std::string(4096, 'x'));
  };
  for (int i = 0; i < 100; ++i) answer();
  const std::size_t before = ::mallinfo2().uordblks;
  for (int i = 0; i < 10000; ++i) answer();
  EXPECT_LT(::mallinfo2().uordblks, before + 1'000'000);
}

TEST(DecoderTest, NothingOfAMessageStaysInTheNext) {
  Decoder decoder;
  decoder.decode(test::open_message(7, "/secret", 2).SerializeAsString());
  const wire::ClientMessage* message = decoder.decode("");
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(kind_of(*message), Kind::kUnknown);
}

TEST(DecoderTest, RefusesBytesThatAreNoMessage) {
  Decoder decoder;
  EXPECT_EQ(decoder.decode("\xff\xff\xff"), nullptr);
  const std::string whole = test::open_message(7, "/path", 2).SerializeAsString();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(decoder.decode(std::string_view(whole).substr(0, size)), nullptr) << size;
  }
}

TEST(DecoderTest, KnowsEveryKind) {
  wire::ClientMessage message;
  EXPECT_EQ(kind_of(message), Kind::kUnknown);
  message.mutable_hello();
  EXPECT_EQ(kind_of(message), Kind::kHello);
  message.mutable_sealed();
  EXPECT_EQ(kind_of(message), Kind::kSealed);
  message.mutable_new_channel();
  EXPECT_EQ(kind_of(message), Kind::kNewChannel);
  message.mutable_cancel();
  EXPECT_EQ(kind_of(message), Kind::kCancel);
  message.mutable_request()->mutable_open();
  EXPECT_EQ(kind_of(message), Kind::kUnknown);  // request.h reads them
}

TEST(CheckPlaceTest, PathEndsAtItsFirstNul) {
  const auto asked = request(wire::DIRECTORY_NONE, std::string("/a\0/b", 5));
  EXPECT_EQ(check_place(asked).place.path, "/a");
}

TEST(CheckPlaceTest, LongestPath) {
  const auto longest = request(wire::DIRECTORY_NONE, "/" + std::string(kMaxPath - 1, 'x'));
  EXPECT_EQ(check_place(longest).broken, nullptr);
  const auto longer = request(wire::DIRECTORY_NONE, "/" + std::string(kMaxPath, 'x'));
  EXPECT_NE(check_place(longer).broken, nullptr);
  const auto longer_cwd = request(wire::DIRECTORY_CWD, "x", "/" + std::string(kMaxPath, 'x'));
  EXPECT_NE(check_place(longer_cwd).broken, nullptr);
}

TEST(CheckPlaceTest, WorkingDirectoryIsAbsolute) {
  const auto good = request(wire::DIRECTORY_CWD, "x", "/tmp");
  EXPECT_EQ(check_place(good).place.base, Base::kCwd);
  EXPECT_EQ(check_place(good).place.cwd, "/tmp");
  EXPECT_NE(check_place(request(wire::DIRECTORY_CWD, "x", "tmp")).broken, nullptr);
  EXPECT_NE(check_place(request(wire::DIRECTORY_CWD, "x", "")).broken, nullptr);
  EXPECT_NE(check_place(request(wire::DIRECTORY_CWD, "x", std::string("/a\0b", 4))).broken,
            nullptr);
}

// The client looked at the first byte of a path that another thread changed while it was sent.
TEST(CheckPlaceTest, TheFirstByteThatArrivedCounts) {
  const auto became_absolute = request(wire::DIRECTORY_CWD, "/x", "/tmp");
  EXPECT_EQ(check_place(became_absolute).place.base, Base::kAbsolute);
  const auto with_fd = request(wire::DIRECTORY_FD, "/x");
  EXPECT_EQ(check_place(with_fd).place.base, Base::kAbsolute);
  for (const char* path : {"x", ""}) {
    const auto became_relative = request(wire::DIRECTORY_NONE, path);
    EXPECT_EQ(check_place(became_relative).error, ENOENT);
    EXPECT_EQ(check_place(became_relative).broken, nullptr);
  }
  const auto own_fd = request(wire::DIRECTORY_SELF_FD, "/proc/self/fd/3");
  EXPECT_EQ(check_place(own_fd).place.base, Base::kSelfFd);
}

TEST(CheckPlaceTest, UnknownDirectory) {
  EXPECT_NE(check_place(request(static_cast<wire::Directory>(9), "/x")).broken, nullptr);
}

TEST(CheckConnectPlaceTest, TakesNoDirectoryDescriptor) {
  EXPECT_EQ(check_connect_place(request(wire::DIRECTORY_NONE, "x")).broken, nullptr);
  EXPECT_EQ(check_connect_place(request(wire::DIRECTORY_CWD, "x", "/")).broken, nullptr);
  EXPECT_NE(check_connect_place(request(wire::DIRECTORY_FD, "x")).broken, nullptr);
  EXPECT_NE(check_connect_place(request(wire::DIRECTORY_SELF_FD, "x")).broken, nullptr);
}

}  // namespace
}  // namespace torno::session
