// tornod --fd: one session, and the broker's end with it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "tests/broker/server/run_tornod.h"
#include "tests/support/processes.h"

namespace torno::server {
namespace {

using test::RawPeer;
using testing::HasSubstr;

class EmbeddedTest : public testing::Test {
 protected:
  EmbeddedTest() {
    files_.write("file", "content");
    files_.write("mine.policy", "file { path: \"" + files_.path() + "/file\" allow: READ }\n");
    files_.write("wide.policy", "file { path: \"" + files_.path() + "/**\" allow: READ }\n");
    files_.write("where.policy", "file { path: \"${WHERE}/**\" allow: READ }\n");
    files_.write("temporary.policy", "file { path: \"${TMPDIR}/**\" allow: READ }\n");
  }

  std::string path(const std::string& name) const { return files_.path() + "/" + name; }

  int open_result(const RawPeer& channel, const std::string& name) const {
    const auto answer = channel.ask_and_wait(test::open_message(1, path(name), O_RDONLY));
    return answer ? answer->message.reply().result() : -1;
  }
  static int narrow_result(const RawPeer& channel, const std::string& policy) {
    wire::ClientMessage message = test::request_message(1, policy);
    message.mutable_request()->mutable_narrow();
    const auto answer = channel.ask_and_wait(message);
    return answer ? answer->message.reply().result() : -1;
  }

  test::TemporaryDirectory files_;
};

TEST_F(EmbeddedTest, ServesOneAndEndsWithIt) {
  EmbeddedTornod tornod;
  ASSERT_TRUE(tornod.peer().enter(path("mine.policy"))) << tornod.log();
  const RawPeer channel = tornod.peer().new_channel();
  EXPECT_EQ(open_result(channel, "file"), 0);
  EXPECT_EQ(tornod.end(), 0);
  EXPECT_EQ(tornod.log(), "");
}

TEST_F(EmbeddedTest, EndsWhenThePeerBreaksTheProtocol) {
  EmbeddedTornod tornod;
  tornod.peer().send_bytes("garbage");
  EXPECT_TRUE(tornod.peer().wait_for_end());
  EXPECT_EQ(tornod.end(), 0);
  EXPECT_THAT(tornod.log(), HasSubstr("broke the protocol"));
}

TEST_F(EmbeddedTest, APathIsRelativeToTheStartersDirectory) {
  EmbeddedTornod tornod({}, [&] { (void)!::chdir(files_.path().c_str()); });
  EXPECT_TRUE(tornod.peer().enter("./mine.policy")) << tornod.log();
}

TEST_F(EmbeddedTest, APolicyFolderMayBeRelative) {
  const test::TemporaryDirectory above;
  ASSERT_EQ(::mkdir((above.path() + "/policies").c_str(), 0755), 0);
  const std::string own = above.write("policies/there.policy",
                                      "file { path: \"" + above.path() + "/**\" allow: READ }\n");
  EmbeddedTornod tornod({"--policies", "./policies"},
                        [&] { (void)!::chdir(above.path().c_str()); });
  ASSERT_TRUE(tornod.peer().enter("there")) << tornod.log();
  const RawPeer channel = tornod.peer().new_channel();
  const auto result = [&](const std::string& path) {
    const auto answer = channel.ask_and_wait(test::open_message(1, path, O_RDONLY));
    return answer ? answer->message.reply().result() : -1;
  };
  EXPECT_EQ(result(above.write("file", "content")), 0);
  EXPECT_EQ(result(own), -EACCES);
}

// Policies are read from it as soon as somebody makes it.
TEST_F(EmbeddedTest, APolicyFolderThatIsMadeLaterIsTheBrokersAlready) {
  for (const bool own : {true, false}) {
    const test::TemporaryDirectory above;
    const std::string later = above.path() + "/later";
    const std::string searched = own ? later : above.path() + "/other";
    const test::TemporaryDirectory policies;
    const std::string wide = policies.write(
        "wide.policy", "file { path: \"" + above.path() + "/**\" allow: [READ, WRITE, CREATE] }\n");
    EmbeddedTornod tornod({}, [&] { ::setenv("TORNO_POLICY_PATH", searched.c_str(), 1); });
    ASSERT_TRUE(tornod.peer().enter(wide)) << tornod.log();
    const RawPeer channel = tornod.peer().new_channel();
    ASSERT_EQ(::mkdir(later.c_str(), 0755), 0);
    const auto answer =
        channel.ask_and_wait(test::open_message(1, later + "/evil.policy", O_WRONLY | O_CREAT));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->message.reply().result(), own ? -EACCES : 0);
    EXPECT_EQ(::access((later + "/evil.policy").c_str(), F_OK) == 0, !own);
  }
}

TEST_F(EmbeddedTest, NamesAreLookedForInThePolicyFolders) {
  // A folder of its own: no rule may name a place in the broker's.
  const test::TemporaryDirectory policies;
  policies.write("mine.policy", "file { path: \"" + files_.path() + "/file\" allow: READ }\n");
  EmbeddedTornod tornod({"--policies", policies.path()});
  EXPECT_TRUE(tornod.peer().enter("mine")) << tornod.log();
}

TEST_F(EmbeddedTest, TakesVariables) {
  EmbeddedTornod tornod;
  wire::ClientMessage hello = test::hello_message(path("where.policy"));
  hello.mutable_hello()->add_variables("WHERE=" + files_.path());
  const auto welcome = tornod.peer().ask(hello);
  ASSERT_TRUE(welcome && welcome->message.has_welcome());
  tornod.peer().seal(welcome->message.welcome().layers());
  EXPECT_EQ(open_result(tornod.peer().new_channel(), "file"), 0);
}

TEST_F(EmbeddedTest, AVariableReplacesTheBuiltInOne) {
  EmbeddedTornod tornod;
  wire::ClientMessage hello = test::hello_message(path("temporary.policy"));
  hello.mutable_hello()->add_variables("TMPDIR=/nowhere");
  const auto welcome = tornod.peer().ask(hello);
  ASSERT_TRUE(welcome && welcome->message.has_welcome());
  tornod.peer().seal(welcome->message.welcome().layers());
  EXPECT_EQ(open_result(tornod.peer().new_channel(), "file"), -EACCES);
}

TEST_F(EmbeddedTest, RefusesWhatIsNoVariable) {
  for (const char* text : {"WHERE", "=x", "where=x", "W-X=1"}) {
    EmbeddedTornod tornod;
    wire::ClientMessage hello = test::hello_message(path("where.policy"));
    hello.mutable_hello()->add_variables(text);
    const auto answer = tornod.peer().ask(hello);
    ASSERT_TRUE(answer && answer->message.has_refused());
    EXPECT_THAT(answer->message.refused().message(), HasSubstr("is no variable"));
  }
}

TEST_F(EmbeddedTest, AMissingPolicyIsRefusedInOneLine) {
  EmbeddedTornod tornod;
  const auto answer = tornod.peer().hello(path("nosuch.policy"));
  ASSERT_TRUE(answer && answer->message.has_refused());
  EXPECT_THAT(answer->message.refused().message(), HasSubstr("nosuch.policy"));
  EXPECT_EQ(tornod.end(), 0);
}

// A program that writes its own policy chooses what it may do when it is started again.
TEST_F(EmbeddedTest, NobodyWritesThePolicyThatIsNamedByItsPath) {
  files_.write("all.policy",
               "file { path: \"" + files_.path() + "/**\" allow: [READ, WRITE, CREATE] }\n");
  EmbeddedTornod tornod;
  ASSERT_TRUE(tornod.peer().enter(path("all.policy"))) << tornod.log();
  const RawPeer channel = tornod.peer().new_channel();
  const auto result = [&](const std::string& name, unsigned long flags) {
    wire::ClientMessage message = test::open_message(1, path(name), flags);
    message.mutable_request()->mutable_open()->set_mode((flags & O_CREAT) != 0 ? 0600 : 0);
    const auto answer = channel.ask_and_wait(message);
    return answer ? answer->message.reply().result() : -1;
  };
  EXPECT_EQ(result("all.policy", O_RDONLY), 0);
  EXPECT_EQ(result("all.policy", O_WRONLY), -EACCES);
  EXPECT_EQ(result("all.policy", O_RDONLY | O_TRUNC), -EACCES);
  EXPECT_EQ(result("wide.policy", O_RDWR), -EACCES);
  EXPECT_EQ(result("new.policy", O_WRONLY | O_CREAT), -EACCES);
  // Under another name, somebody else's doing.
  for (const char* name : {"all.policy", "file"}) {
    ASSERT_EQ(::link(path(name).c_str(), path(name + std::string(".link")).c_str()), 0);
  }
  EXPECT_EQ(result("all.policy.link", O_RDONLY), 0);
  EXPECT_EQ(result("all.policy.link", O_WRONLY), -EACCES);
  EXPECT_EQ(result("all.policy.link", O_RDONLY | O_TRUNC), -EACCES);
  EXPECT_EQ(result("all.policy.link", O_RDWR | O_CREAT), -EACCES);
  EXPECT_EQ(result("file.link", O_WRONLY), 0) << "positive control";
  EXPECT_EQ(result("file", O_WRONLY), 0) << "positive control";
  EXPECT_EQ(result("new", O_WRONLY | O_CREAT), 0) << "positive control";
}

// A sealed program names a policy file only where it might read that file anyway.
TEST_F(EmbeddedTest, NarrowingByPathNeedsThatTheFileMayBeRead) {
  EmbeddedTornod tornod;
  ASSERT_TRUE(tornod.peer().enter(path("wide.policy")));
  const RawPeer channel = tornod.peer().new_channel();
  const test::TemporaryDirectory elsewhere;
  const std::string hidden = elsewhere.write("x.policy", "");
  EXPECT_EQ(narrow_result(channel, hidden), -EACCES);
  EXPECT_EQ(narrow_result(channel, elsewhere.path() + "/missing.policy"), -EACCES);
  EXPECT_EQ(narrow_result(channel, path("missing.policy")), -ENOENT);
  EXPECT_EQ(open_result(channel, "wide.policy"), 0);

  EXPECT_EQ(narrow_result(channel, path("mine.policy")), 0);
  EXPECT_EQ(open_result(channel, "file"), 0);
  EXPECT_EQ(open_result(channel, "wide.policy"), -EACCES);
}

TEST_F(EmbeddedTest, NobodyWritesThePolicyThatNarrowingNamedByItsPath) {
  files_.write("all.policy",
               "file { path: \"" + files_.path() + "/**\" allow: [READ, WRITE, CREATE] }\n");
  const test::TemporaryDirectory start;
  const std::string wide = start.write(
      "start.policy", "file { path: \"" + files_.path() + "/**\" allow: [READ, WRITE, CREATE] }\n");
  ASSERT_EQ(::link(path("all.policy").c_str(), path("link").c_str()), 0);
  EmbeddedTornod tornod;
  ASSERT_TRUE(tornod.peer().enter(wide)) << tornod.log();
  const RawPeer channel = tornod.peer().new_channel();
  const auto written = [&](const std::string& name) {
    const auto answer = channel.ask_and_wait(test::open_message(1, path(name), O_WRONLY));
    return answer ? answer->message.reply().result() : -1;
  };
  EXPECT_EQ(written("link"), 0) << "positive control";
  ASSERT_EQ(narrow_result(channel, path("all.policy")), 0);
  EXPECT_EQ(written("link"), -EACCES);
  EXPECT_EQ(written("file"), 0) << "positive control";
}

TEST_F(EmbeddedTest, NarrowingByPathSaysWhatIsWrongWithTheFile) {
  EmbeddedTornod tornod;
  files_.write("typo.policy", "name: \"x\"\nfil { }\n");
  ASSERT_TRUE(tornod.peer().enter(path("wide.policy")));
  const RawPeer channel = tornod.peer().new_channel();
  const auto why = [&](const std::string& policy) {
    wire::ClientMessage message = test::request_message(1, policy);
    wire::Request& request = *message.mutable_request();
    request.mutable_narrow();
    if (!policy.starts_with('/')) {
      request.set_directory(wire::DIRECTORY_CWD);
      request.set_cwd(files_.path());
    }
    const auto answer = channel.ask_and_wait(message);
    return answer ? answer->message.reply().message() : "no answer";
  };
  EXPECT_THAT(why(path("typo.policy")), HasSubstr("/typo.policy:2:1: error: unknown field 'fil'"));
  EXPECT_THAT(why("./typo.policy"), HasSubstr("./typo.policy:2:1: error: unknown field 'fil'"));
  EXPECT_THAT(why("typo.policy"), HasSubstr("typo.policy:2:1: error: unknown field 'fil'"));
  EXPECT_THAT(why("./missing.policy"),
              HasSubstr("cannot read policy './missing.policy': No such file or directory"));
  const test::TemporaryDirectory elsewhere;
  const std::string hidden = elsewhere.write("x.policy", "fil {}");
  EXPECT_THAT(why(hidden), HasSubstr("must allow to READ it"));
  EXPECT_EQ(why("./mine.policy"), "") << "positive control";
  EXPECT_EQ(open_result(channel, "wide.policy"), -EACCES);
  EXPECT_EQ(tornod.end(), 0);
  EXPECT_THAT(tornod.log(), HasSubstr("cannot read policy './missing.policy'"));
}

// The number of a process that is gone may be another's by now, and with it /proc/self.
TEST_F(EmbeddedTest, NarrowingByPathOfAProcessThatIsGoneFails) {
  EmbeddedTornod tornod;
  ASSERT_TRUE(tornod.peer().enter(path("wide.policy")));
  const RawPeer channel = tornod.peer().new_channel();
  wire::ClientMessage narrow = test::request_message(1, path("wide.policy"));
  narrow.mutable_request()->mutable_narrow();
  for (const bool dies : {false, true}) {
    // The broker sleeps until the message has come, and its sender has gone.
    siginfo_t stopped{};
    ASSERT_EQ(::kill(tornod.pid(), SIGSTOP), 0);
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(tornod.pid()), &stopped, WSTOPPED), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const int error = channel.send(narrow);
      if (dies) ::_exit(error);
      ::pause();
    }
    if (dies) ::waitpid(child, nullptr, 0);
    ASSERT_EQ(::kill(tornod.pid(), SIGCONT), 0);
    const auto answer = channel.receive();
    ASSERT_TRUE(answer) << tornod.log();
    EXPECT_EQ(answer->message.reply().result(), dies ? -ESRCH : 0);
    if (!dies) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
}

// Such a file must not hold the broker up.
TEST_F(EmbeddedTest, NarrowingByTheNameOfAFifoFails) {
  EmbeddedTornod tornod;
  files_.write("wide.policy",
               "file { path: \"" + files_.path() + "/**\" allow: READ type: FIFO }\n");
  ASSERT_EQ(::mkfifo(path("fifo.policy").c_str(), 0600), 0);
  ASSERT_TRUE(tornod.peer().enter(path("wide.policy")));
  const RawPeer channel = tornod.peer().new_channel();
  EXPECT_EQ(narrow_result(channel, path("fifo.policy")), -EINVAL);
  EXPECT_EQ(open_result(channel, "file"), 0);
}

// Ctrl-C on the terminal is meant for the program, which may go on.
TEST_F(EmbeddedTest, KeysOfTheTerminalDoNotEndIt) {
  EmbeddedTornod tornod;
  ASSERT_TRUE(tornod.peer().enter(path("mine.policy")));
  const RawPeer channel = tornod.peer().new_channel();
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP}) {
    ASSERT_EQ(::kill(tornod.pid(), signal), 0);
    EXPECT_EQ(open_result(channel, "file"), 0);
  }
  ASSERT_EQ(::kill(tornod.pid(), SIGTERM), 0);
  EXPECT_TRUE(channel.wait_for_end());
  EXPECT_EQ(tornod.end(), 0);
}

// A pipe end that the broker held would keep the starter's pipe open.
TEST_F(EmbeddedTest, HoldsNothingOfItsStarters) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, 0), 0);
  const Fd out(pipe[0]);
  Fd in(pipe[1]);
  EmbeddedTornod tornod({}, [&] { ::dup2(in.get(), STDOUT_FILENO); });
  ASSERT_TRUE(tornod.peer().enter(path("mine.policy")));
  in.reset();
  char byte = 0;
  EXPECT_EQ(::read(out.get(), &byte, 1), 0);
  EXPECT_TRUE(tornod.is_running());
}

}  // namespace
}  // namespace torno::server
