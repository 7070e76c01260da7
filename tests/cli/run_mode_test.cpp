// torno run --mode: which transport serves a program, and what each is refused for.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "proto/audit.pb.h"
#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class RunMode : public testing::Test {
 protected:
  // Runs a shell script under `base` and these rules.
  Said script(const std::string& mode, const std::string& rules, const std::string& text,
              const std::function<void()>& before = {}) {
    return run(words(mode, rules, {"/bin/sh", "-c", text}), before);
  }
  std::vector<std::string> words(const std::string& mode, const std::string& rules,
                                 const std::vector<std::string>& command) {
    directory_.write("own.policy", "include: \"base\"\n" + rules);
    std::vector<std::string> words = {"--policy", directory_.path("own.policy"), "--report",
                                      directory_.path("report")};
    if (!mode.empty()) words.insert(words.end(), {"--mode", mode});
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return words;
  }
  std::string transport() const {
    std::ifstream file(directory_.path("report"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    audit::Event event;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text, &event).ok()) << text;
    return event.program_ended().transport();
  }

  const TemporaryDirectory directory_;
};

constexpr const char* kProc = "file { path: \"/proc/**\" allow: READ }\n";

// A word of the shell itself: nothing is executed.
constexpr const char* kFilters =
    "while read name value; do [ \"$name\" = Seccomp_filters: ] && echo $value; done "
    "< /proc/self/status";

TEST_F(RunMode, TheTrapFilterIsOnTopOfTheNotifyFilter) {
  const Said notify = script("notify", kProc, kFilters);
  EXPECT_EQ(transport(), "notify");
  const Said trap = script("trap", kProc, kFilters);
  EXPECT_EQ(transport(), "trap");
  EXPECT_EQ(notify.err + trap.err, "");
  ASSERT_NE(notify.out, "") << "Linux 5.9 and later count filters";
  // Those of whoever started the test count too.
  EXPECT_EQ(std::atoi(trap.out.c_str()), std::atoi(notify.out.c_str()) + 1);
}

TEST_F(RunMode, NothingIsExecutedInEither) {
  for (const char* mode : {"notify", "trap"}) {
    EXPECT_EQ(script(mode, "", "/bin/true").status, 126) << mode;
    EXPECT_EQ(transport(), mode);
  }
}

TEST_F(RunMode, TheProgramDoesNotSeeThatALibraryWasLoaded) {
  const std::string show =
      "echo \"${LD_PRELOAD-none}\"; read -r all < /proc/self/environ; "
      "case $all in *LD_PRELOAD*) echo seen;; esac";
  EXPECT_EQ(script("trap", kProc, show).out, "none\n");
  // What the user wants loaded stays, and is loaded.
  auto wanted = words("trap", kProc, {"/bin/sh", "-c", "echo $LD_PRELOAD"});
  wanted.insert(wanted.begin(), {"--env", "LD_PRELOAD=libm.so.6"});
  const Said said = run(wanted);
  EXPECT_EQ(said.out, "libm.so.6\n");
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(transport(), "trap");
}

// Which the trap filter leaves to the notify filter beneath it.
TEST_F(RunMode, CallsThatTheLibraryDoesNotKnowAreServedByNotify) {
  const std::string folder = directory_.path();
  const std::string rule = "file { path: \"" + folder + "/**\" allow: READ }\n";
  directory_.write("file", "some words\n");
  const std::string text = "cd " + folder + " && read -r line < file && echo $line && pwd -P";
  for (const char* mode : {"notify", "trap"}) {
    EXPECT_EQ(script(mode, rule, text).out, "some words\n" + folder + "\n") << mode;
    EXPECT_EQ(transport(), mode);
    EXPECT_NE(script(mode, "", text).status, 0) << mode;
  }
}

TEST_F(RunMode, RefusalsOfBothAreCounted) {
  const std::string file = directory_.write("file", "some words\n");
  const Said said = script("trap", "", "read line < " + file);
  EXPECT_NE(said.status, 0);
  EXPECT_EQ(transport(), "trap");
  std::ifstream report(directory_.path("report"));
  const std::string text{std::istreambuf_iterator<char>(report), {}};
  EXPECT_THAT(text, Not(HasSubstr("\"denials\":\"0\"")));
}

TEST_F(RunMode, SaysWhyThereCanBeNoTrap) {
  struct Case {
    std::string rules;
    std::vector<std::string> command;
    std::string why;
  };
  const std::vector<std::string> shell = {"/bin/sh", "-c", ":"};
  const Case cases[] = {
      {"file { path: \"/usr/bin/true\" allow: EXECUTE }\n", shell, "allows EXECUTE"},
      {"syscall { name: \"readlink\" action: ERRNO errno: \"EPERM\" }\n", shell,
       "a syscall rule for readlink"},
      {"limit { open_files: 64 }\n", shell, "limits open_files"},
      {"", {TORNO_BINARY_DIR "/tests/static_program"}, "static"},
  };
  for (const Case& each : cases) {
    const Said said = run(words("trap", each.rules, each.command));
    EXPECT_EQ(said.status, 125) << each.why;
    EXPECT_THAT(said.err, HasSubstr("--mode trap: "));
    EXPECT_THAT(said.err, HasSubstr(each.why));
    EXPECT_THAT(said.err, HasSubstr("use --mode notify"));
    EXPECT_EQ(transport(), "") << each.why;
    EXPECT_NE(run(words("notify", each.rules, each.command)).status, 125) << each.why;
    EXPECT_EQ(transport(), "notify") << each.why;
  }
}

TEST_F(RunMode, TheControlSocketNeedsItsNumber) {
  const auto lower = [] {
    const rlimit few{4095, 4095};
    ::setrlimit(RLIMIT_NOFILE, &few);
  };
  EXPECT_EQ(script("notify", "", ":", lower).status, 0);
  const Said said = script("trap", "", ":", lower);
  EXPECT_EQ(said.status, 125);
  EXPECT_THAT(said.err, HasSubstr("RLIMIT_NOFILE is below 4096"));
}

// The policy denies the library, and the loader goes on without it.
TEST_F(RunMode, TellsThatTheLibraryWasNotLoaded) {
  const std::string deny =
      "file { path: \"" TORNO_BINARY_DIR "/lib/libtorno_preload.so\" deny: READ }\n";
  const Said said = script("trap", deny, "echo ran");
  EXPECT_EQ(said.out, "ran\n");
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.err, HasSubstr("torno: error: --mode trap: the program did not load Torno's "
                                  "library; it was served by notify"));
  EXPECT_EQ(transport(), "notify");
}

TEST_F(RunMode, TakesNoLibraryThatOthersMayWrite) {
  namespace fs = std::filesystem;
  const fs::path folder = directory_.path("copy");
  fs::create_directories(folder / "bin");
  fs::create_directories(folder / "lib");
  fs::copy(TORNO_BINARY_DIR "/bin/torno", folder / "bin/torno");
  const fs::path library = folder / "lib/libtorno_preload.so";
  fs::copy(TORNO_BINARY_DIR "/lib/libtorno_preload.so", library);
  const auto attempt = [&](mode_t library_mode, mode_t folder_mode) {
    ::chmod(library.c_str(), library_mode);
    ::chmod((folder / "lib").c_str(), folder_mode);
    const auto command = words("trap", "", {"/bin/sh", "-c", ":"});
    std::string line = (folder / "bin/torno").string() + " run";
    for (const std::string& word : command) line += " '" + word + "'";
    return WEXITSTATUS(std::system((line + " 2>/dev/null").c_str()));
  };
  EXPECT_EQ(attempt(0755, 0755), 0);
  EXPECT_EQ(transport(), "trap");
  EXPECT_EQ(attempt(0757, 0755), 125);
  EXPECT_EQ(attempt(0755, 0757), 125);
}

TEST_F(RunMode, IsNotifyUnlessItIsSaid) {
  EXPECT_EQ(script("", "", ":").status, 0);
  EXPECT_EQ(transport(), "notify");
}

TEST_F(RunMode, IsOneOfTwo) {
  const Said said = script("faster", "", ":");
  EXPECT_EQ(said.status, 125);
  EXPECT_THAT(said.err, HasSubstr("--mode"));
}

}  // namespace
}  // namespace torno::cli
