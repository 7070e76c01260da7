// torno run: how a program ended, for a call that kills.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "proto/audit.pb.h"
#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class RunEnding : public testing::Test {
 protected:
  // The program that ends as `words` say, under these rules.
  Said ends(const std::string& rules, std::vector<std::string> words,
            const std::vector<std::string>& options = {}) {
    directory_.write("own.policy", "include: \"base\"\n" + rules);
    std::vector<std::string> all = {"--policy", directory_.path("own.policy"), "--report",
                                    directory_.path("report")};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), {"--", TORNO_ENDINGS});
    all.insert(all.end(), words.begin(), words.end());
    return run(all);
  }

  audit::ProgramEnded report() const {
    std::ifstream file(directory_.path("report"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    audit::Event event;
    const auto parsed = google::protobuf::util::JsonStringToMessage(text, &event);
    EXPECT_TRUE(parsed.ok()) << parsed.ToString();
    return event.program_ended();
  }

  const TemporaryDirectory directory_;
};

constexpr const char* kKillsMkdir = "syscall { name: \"mkdir\" action: KILL }";

TEST_F(RunEnding, ARefusedCallIsNamedWithItsArguments) {
  const std::string folder = directory_.path("a\"\n");
  const Said said = ends(kKillsMkdir, {"mkdir", folder});
  const std::string arguments = "\"" + directory_.path("a\\x22\\x0a") + "\", 0700";
  EXPECT_EQ(said.status, 128 + 31);
  EXPECT_EQ(said.err, "torno: error: ended by SIGSYS: refused call mkdir(" + arguments + ")\n");
  struct stat status{};
  EXPECT_NE(::stat(folder.c_str(), &status), 0);
  EXPECT_EQ(report().how(), audit::ProgramEnded::REFUSED_CALL);
  EXPECT_EQ(report().number(), 31);
  EXPECT_EQ(report().call(), "mkdir");
  EXPECT_EQ(report().arguments(), arguments);
  EXPECT_EQ(report().denials(), 1U);
  // Without the rule the program lives.
  EXPECT_EQ(ends("", {"mkdir", folder}).status, 3);
  EXPECT_EQ(report().how(), audit::ProgramEnded::EXITED);
}

TEST_F(RunEnding, ARefusedOpenShowsItsFlags) {
  const std::string rule =
      "syscall { name: \"openat\" action: KILL arg { index: 2 op: MASKED_EQ mask: 64 value: 64 } }";
  directory_.write("own.policy", "include: \"base\"\n" + rule);
  const std::string file = directory_.path("file");
  const Said said = run({"--policy", directory_.path("own.policy"), "--write", file, "--",
                         "/bin/sh", "-c", "echo x > \"$0\"", file});
  EXPECT_EQ(said.status, 159);
  EXPECT_THAT(said.err, HasSubstr("refused call openat(AT_FDCWD, \"" + file +
                                  "\", O_WRONLY|O_CREAT|O_TRUNC, 0666)\n"));
  struct stat status{};
  EXPECT_NE(::stat(file.c_str(), &status), 0);
  // Without the rule it is made.
  EXPECT_EQ(run({"--write", file, "--", "/bin/sh", "-c", "echo x > \"$0\"", file}).status, 0);
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
}

TEST_F(RunEnding, AnUnknownCallIsShownByItsNumber) {
  EXPECT_EQ(ends("", {"unknown"}).status, 4);
  const Said said = ends("unknown_syscall: UNKNOWN_KILL", {"unknown"});
  EXPECT_EQ(said.status, 159);
  EXPECT_THAT(said.err, HasSubstr("refused call 9999(0x1, 0x2, 0x3, 0x4, 0x5, 0x6)\n"));
}

// How the program ended is what counts; that of a child is logged.
TEST_F(RunEnding, AChildThatIsKilledIsLogged) {
  const std::string folder = directory_.path("folder");
  const Said said = ends(kKillsMkdir, {"child-mkdir", folder}, {"--verbose"});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, "signal 9 status 0\n");
  EXPECT_THAT(said.err, HasSubstr("torno: refused mkdir(\"" + folder + "\", 0700): SIGSYS"));
  EXPECT_EQ(report().how(), audit::ProgramEnded::EXITED);
  EXPECT_EQ(report().call(), "");
  EXPECT_EQ(ends("", {"child-mkdir", folder}).out, "signal 0 status 3\n");
}

// The kernel kills for it: nobody could tell it from a native call of that number.
TEST_F(RunEnding, ACallOfAnotherArchitectureEndsTheProgram) {
  const Said said = ends("", {"i386"});
  EXPECT_EQ(said.status, 159);
  EXPECT_THAT(said.err, HasSubstr("ended by SIGSYS (bad system call"));
  EXPECT_EQ(report().how(), audit::ProgramEnded::SIGNALLED);
}

// A rule that kills for what the program's process does before it is executed ends it, and nothing
// waits for ever.
TEST_F(RunEnding, AKillBeforeTheProgramIsExecuted) {
  for (const char* call : {"write", "read", "execve"}) {
    const Said said = ends("syscall { name: \"" + std::string(call) +
                               "\" action: KILL arg { index: 5 op: GE value: 0 } }",
                           {""});
    EXPECT_NE(said.status, 0) << call << said.err;
  }
}

}  // namespace
}  // namespace torno::cli
