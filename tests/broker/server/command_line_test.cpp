#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/broker/server/run_tornod.h"

namespace torno::server {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

// 125, and one line that says what is wrong.
void expect_fails(const Ran& ran, const std::string& text) {
  EXPECT_EQ(ran.status, 125);
  EXPECT_TRUE(ran.out.empty()) << ran.out;
  EXPECT_THAT(ran.error, MatchesRegex("tornod: error: [^\n]+\n"));
  EXPECT_THAT(ran.error, HasSubstr(text));
}

TEST(CommandLineTest, Version) {
  const Ran ran = run_tornod({"--version"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "tornod " TORNO_VERSION " (wire 2)\n");
}

TEST(CommandLineTest, Help) {
  const Ran ran = run_tornod({"--help"});
  EXPECT_EQ(ran.status, 0);
  for (const char* word : {"--socket PATH", "--fd N", "--policies DIR", "--threads N",
                           "--log-format text|json", "--version"}) {
    EXPECT_THAT(ran.out, HasSubstr(word));
  }
}

TEST(CommandLineTest, Mistakes) {
  expect_fails(run_tornod({}), "--socket PATH or --fd N");
  expect_fails(run_tornod({"--nonsense"}), "--nonsense");
  expect_fails(run_tornod({"--socket"}), "--socket");
  expect_fails(run_tornod({"--socket", "/tmp/x", "--fd", "3"}), "--fd");
  for (const std::string word : {"abc", "-1", "3x", "", "99999999999"}) {
    const Ran ran = run_tornod({"--fd", word});
    EXPECT_EQ(ran.status, 125);
    EXPECT_EQ(ran.error,
              "tornod: error: --fd: '" + word + "' is no descriptor's number; see tornod --help\n");
  }
  expect_fails(run_tornod({"--socket", "/tmp/x", "--threads", "0"}), "--threads");
  expect_fails(run_tornod({"--socket", "/tmp/x", "--threads", "65"}), "--threads");
  expect_fails(run_tornod({"--socket", "/tmp/x", "--log-format", "xml"}), "--log-format");
  expect_fails(run_tornod({"--socket", "/tmp/x", "--policies", "/nonexistent"}), "--policies");
}

TEST(CommandLineTest, FdThatIsNoConnectedSocket) {
  expect_fails(run_tornod({"--fd", "77"}), "no connected Unix SOCK_SEQPACKET socket");
  expect_fails(run_tornod({"--fd", "0"}), "no connected Unix SOCK_SEQPACKET socket");
  expect_fails(run_tornod({"--fd", "33"},
                          [] {
                            int ends[2];
                            ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
                            ::dup2(ends[0], 33);
                          }),
               "no connected Unix SOCK_SEQPACKET socket");
  expect_fails(run_tornod({"--fd", "33"}, [] { ::dup2(::socket(AF_UNIX, SOCK_SEQPACKET, 0), 33); }),
               "no connected Unix SOCK_SEQPACKET socket");
}

}  // namespace
}  // namespace torno::server
