// torno why: verdict, rule, and where the path leads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Why : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"open", "closed"}) {
      std::filesystem::create_directory(directory_.path(name));
    }
    directory_.write("open/file", "x");
    directory_.write("open/secret", "x");
    directory_.write("closed/file", "x");
    ASSERT_EQ(symlink("../closed/file", directory_.path("open/out").c_str()), 0);
    ASSERT_EQ(symlink("../open/file", directory_.path("closed/in").c_str()), 0);
    ASSERT_EQ(mkfifo(directory_.path("open/fifo").c_str(), 0600), 0);
    policy_ = directory_.write(
        "p.policy", "file { path: \"" + directory_.path("open") +
                        "/**\" allow: READ }\nfile { path: \"" + directory_.path("open/secret") +
                        "\" deny: READ }\n"
                        "connect { address: \"127.0.0.1\" port: 80 }\n"
                        "connect { unix: \"" +
                        directory_.path("open/socket") + "\" }\nconnect { abstract: \"name\" }\n");
  }

  Said ask(const std::string& permission, const std::string& subject) const {
    return run_torno({"why", "--policy", policy_, permission, subject});
  }

  // Also: what was asked has an answer on standard output alone.
  void expect_allowed(const Said& said, const std::string& text) const {
    EXPECT_EQ(said.status, 0) << said.out;
    EXPECT_THAT(said.out, StartsWith("allowed: " + text));
    EXPECT_EQ(said.err, "");
  }
  void expect_denied(const Said& said, const std::string& text) const {
    EXPECT_EQ(said.status, 1) << said.out;
    EXPECT_THAT(said.out, StartsWith("denied: " + text));
    EXPECT_EQ(said.err, "");
  }
  void expect_no_answer(const Said& said, const std::string& text) const {
    EXPECT_EQ(said.status, 2);
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, StartsWith("torno: "));
    EXPECT_THAT(said.err, HasSubstr(text));
  }

  TemporaryDirectory directory_;
  std::string policy_;
};

TEST_F(Why, AllowedNamesTheRule) {
  const std::string file = directory_.path("open/file");
  expect_allowed(ask("READ", file), "READ " + file + " by " + policy_ + ":1\n");
}

TEST_F(Why, DeniedNamesTheDenyRule) {
  const std::string file = directory_.path("open/secret");
  expect_denied(ask("READ", file), "READ " + file + " by " + policy_ + ":2\n");
}

TEST_F(Why, DeniedWithoutARuleSaysSo) {
  expect_denied(ask("WRITE", directory_.path("open/file")),
                "WRITE " + directory_.path("open/file") + ": no rule of policy 'p' allows it\n");
  expect_denied(ask("READ", "/etc/shadow"), "READ /etc/shadow: no rule");
}

TEST_F(Why, TheVerdictIsAboutWhatASymlinkLeadsTo) {
  const Said said = ask("READ", directory_.path("open/out"));
  expect_denied(said, "READ " + directory_.path("closed/file"));
  EXPECT_THAT(said.out, HasSubstr(directory_.path("open/out") + " leads to " +
                                  directory_.path("closed/file") + "\n"));
}

TEST_F(Why, ASymlinkThatMayNotBeSeenLeadsNowhere) {
  const Said said = ask("READ", directory_.path("closed/in"));
  expect_denied(said, "READ " + directory_.path("open/file") + ": on the way " +
                          directory_.path("closed") + " may not be seen");
}

TEST_F(Why, DotDotIsResolved) {
  expect_allowed(ask("READ", directory_.path("open/../open/./file")),
                 "READ " + directory_.path("open/file"));
  expect_denied(ask("READ", directory_.path("closed/../open/file")),
                "READ " + directory_.path("open/file") + ": on the way " +
                    directory_.path("closed") + " may not be seen\n");
}

TEST_F(Why, OfProcOnlyThePartOfTheProcessItself) {
  policy_ = directory_.write("proc.policy", "file { path: \"/**\" allow: READ }");
  expect_allowed(ask("READ", "/proc/self/status"), "READ /proc/self/status by");
  expect_denied(ask("READ", "/proc/1/environ"), "READ /proc/1/environ: ");
  expect_denied(ask("READ", "/proc/self/mem"), "READ /proc/self/mem: of /proc");
  expect_denied(ask("READ", "/proc/kcore"), "READ /proc/kcore: of /proc");
}

TEST_F(Why, ADirectoryOnTheWayIsSeenAndNoMore) {
  expect_allowed(ask("STAT", directory_.path()), "STAT " + directory_.path() + ": it leads");
  const Said said = ask("READ", directory_.path());
  expect_denied(said, "READ " + directory_.path());
  EXPECT_THAT(said.out, HasSubstr("stat, access(F_OK or X_OK) and readlink see it, no more"));
}

TEST_F(Why, ASpecialFileNeedsItsType) {
  expect_denied(ask("READ", directory_.path("open/fifo")), "READ|FIFO ");
  policy_ = directory_.write("fifo.policy", "file { path: \"" + directory_.path("open/**") +
                                                "\" allow: READ type: FIFO }");
  expect_allowed(ask("READ", directory_.path("open/fifo")), "READ|FIFO ");
}

TEST_F(Why, WhatDoesNotExistIsDecidedByItsName) {
  const Said said = ask("READ", directory_.path("open/none"));
  expect_allowed(said, "READ " + directory_.path("open/none"));
  EXPECT_THAT(said.out, HasSubstr("nothing exists there now"));
}

void listen_at(const std::string& path) {
  const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(listener);
}

TEST_F(Why, WhatBelongsToTheBrokerNoPolicyReaches) {
  const std::string own = directory_.path("open/policies");
  const std::string broker = directory_.path("open/broker");
  std::filesystem::create_directory(own);
  listen_at(broker);
  ASSERT_EQ(link(broker.c_str(), directory_.path("open/alias").c_str()), 0);
  policy_ = directory_.write("wide.policy", "file { path: \"" + directory_.path("open") +
                                                "/**\" allow: [READ, CREATE, STAT] type: SOCKET }\n"
                                                "connect { unix: \"" +
                                                directory_.path("open") + "/*\" }\n");
  // The control: none of them is the broker's yet.
  expect_allowed(ask("CREATE", own + "/new.policy"), "CREATE ");
  expect_allowed(ask("READ", directory_.path("open/policies/../file")), "READ ");
  for (const char* name : {"broker", "alias"}) {
    expect_allowed(ask("CONNECT", "unix:" + directory_.path("open/") + name), "CONNECT ");
    expect_allowed(ask("STAT", directory_.path("open/") + name), "STAT ");
  }

  const Variable policies("TORNO_POLICY_PATH", own);
  const Variable socket("TORNO_BROKER", broker);
  const std::string by = " by <broker's own>\n";
  expect_denied(ask("CREATE", own + "/new.policy"), "CREATE " + own + "/new.policy" + by);
  expect_denied(ask("READ", own), "READ " + own + by);
  expect_denied(ask("READ", directory_.path("open/policies/../file")),
                "READ " + directory_.path("open/file") + by);
  expect_denied(ask("CONNECT", "unix:" + broker), "CONNECT unix:" + broker + by);
  expect_denied(ask("STAT", broker), "STAT " + broker + by);
  const std::string alias = directory_.path("open/alias");
  expect_denied(ask("CONNECT", "unix:" + alias), "CONNECT unix:" + alias + ": it is the broker's");
  expect_denied(ask("STAT", alias), "STAT " + alias + ": it is the broker's");
  expect_allowed(ask("READ", directory_.path("open/file")), "READ ");
}

TEST_F(Why, ThePolicysOwnFileIsWrittenByNoName) {
  policy_ = directory_.write("wide.policy", "file { path: \"" + directory_.path("open") +
                                                "/**\" allow: [READ, WRITE] }\n");
  const std::string hard = directory_.path("open/hard");
  ASSERT_EQ(link(policy_.c_str(), hard.c_str()), 0);
  expect_denied(ask("WRITE", hard), "WRITE " + hard + ": the policy was read from that file");
  expect_allowed(ask("READ", hard), "READ " + hard);
  expect_allowed(ask("WRITE", directory_.path("open/file")), "WRITE ");
}

TEST_F(Why, ConnectIsAskedByAddress) {
  expect_allowed(ask("CONNECT", "127.0.0.1:80"), "CONNECT 127.0.0.1:80 by " + policy_ + ":3\n");
  expect_denied(ask("CONNECT", "127.0.0.1:81"), "CONNECT 127.0.0.1:81: no rule");
  expect_denied(ask("CONNECT", "[::1]:80"), "CONNECT [::1]:80");
  expect_allowed(ask("CONNECT", "[::ffff:127.0.0.1]:80"), "CONNECT");
  expect_allowed(ask("CONNECT", "0.0.0.0:80"), "CONNECT");
  expect_allowed(ask("CONNECT", "abstract:name"), "CONNECT abstract:name");
  expect_denied(ask("CONNECT", "abstract:other"), "CONNECT abstract:other");
  expect_allowed(ask("CONNECT", "unix:@name"), "CONNECT unix:@name");
  expect_denied(ask("CONNECT", "unix:@other"), "CONNECT unix:@other");
  expect_allowed(ask("CONNECT", "unix:" + directory_.path("open/../open/socket")),
                 "CONNECT unix:" + directory_.path("open/socket"));
  expect_denied(ask("CONNECT", "unix:/run/other"), "CONNECT unix:/run/other");
}

TEST_F(Why, SetGivesVariablesTheirValues) {
  const std::string file =
      directory_.write("set.policy", "file { path: \"${OUT}/**\" allow: WRITE }\n");
  expect_allowed(
      run_torno({"why", "--policy", file, "--set", "OUT=/srv/out", "WRITE", "/srv/out/x"}),
      "WRITE /srv/out/x");
}

TEST_F(Why, WhatCannotBeAnsweredIsAnError) {
  expect_no_answer(ask("BIND", "127.0.0.1:80"), "bind");
  expect_no_answer(ask("REED", "/etc/shadow"), "is no permission");
  expect_no_answer(ask("READ|WRITE", "/etc/shadow"), "is no permission");
  expect_no_answer(ask("READ", ""), "empty path");
  expect_no_answer(ask("READ", "/proc/self/fd/0"), "asking process alone");
  for (const char* address : {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "[::1]",
                              "host:80", "unix:", "unix:relative", "[127.0.0.1]:80"}) {
    expect_no_answer(ask("CONNECT", address), "write");
  }
  policy_ = directory_.path("none.policy");
  expect_no_answer(ask("READ", "/etc/shadow"), "none.policy");
  policy_ = directory_.write("typo.policy", "fiel {}\n");
  expect_no_answer(ask("READ", "/etc/shadow"), policy_ + ":1:");
}

}  // namespace
}  // namespace torno::cli
