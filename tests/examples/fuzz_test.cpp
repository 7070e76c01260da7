// The fuzzing harnesses: what takes one over is found, and destroys nothing. Each attack has its
// control, the same harness without the seal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/examples/files.h"
#include "tests/examples/process.h"
#include "tests/support/temporary_directory.h"

namespace torno::examples {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using testing::HasSubstr;

constexpr char kSecret[] = "precious\n";

std::vector<std::string> names(const std::string& folder) {
  std::vector<std::string> found;
  if (!exists(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path().filename());
  return found;
}

// Of those that begin so; libFuzzer and afl-fuzz have a beginning for each kind of finding.
long count(const std::string& folder, const std::string& beginning) {
  return std::ranges::count_if(
      names(folder), [&](const std::string& name) { return name.starts_with(beginning); });
}

// Where a sealed process may send no signals (before Linux 6.12) abort() ends in a fault.
auto says_it_crashed() {
  return testing::AnyOf(HasSubstr("libFuzzer: deadly signal"), HasSubstr("AddressSanitizer: SEGV"));
}

struct Scene : testing::Test {
  Scene() {
    fs::create_directory(artifacts);
    fs::copy(TORNO_SOURCE_DIR "/examples/fuzz/seeds", corpus);
    directory.write("victim", kSecret);
  }
  void skip_without(const std::string& name, const std::string& package) {
    if (!exists(program(name))) {
      GTEST_SKIP() << name << " was not built: its compiler is missing (package " << package << ")";
    }
  }
  TemporaryDirectory directory;
  const std::string corpus = directory.path() + "/corpus";
  const std::string artifacts = directory.path() + "/artifacts";
  const std::string victim = directory.path() + "/victim";
};

// ------------------------------------------------------------------------------- libFuzzer

struct LibFuzzer : Scene {
  void SetUp() override { skip_without("torno-png-fuzz", "libclang-rt-19-dev"); }
  Result fuzz(const std::string& name, const std::string& input, const std::string& runs) {
    return run({"env", "VICTIM=" + victim, program(name), "-seed=1", "-runs=" + runs,
                "-artifact_prefix=" + artifacts + "/", input});
  }
};

TEST_F(LibFuzzer, APlantedBugIsFoundAndTheFileStillStands) {
  const Result result = fuzz("torno-png-fuzz-planted", corpus, "100000");
  EXPECT_NE(result.status, 0);
  EXPECT_THAT(result.err, says_it_crashed());
  EXPECT_EQ(count(artifacts, "crash-"), 1);
  EXPECT_EQ(read_file(victim), kSecret);
  EXPECT_FALSE(exists(victim + ".gone"));
}

TEST_F(LibFuzzer, UnsealedTheBugDestroysTheFile) {
  const Result result = fuzz("torno-png-fuzz-unsealed-planted", corpus, "100000");
  EXPECT_THAT(result.err, says_it_crashed());
  EXPECT_EQ(count(artifacts, "crash-"), 1);
  EXPECT_FALSE(exists(victim));
}

TEST_F(LibFuzzer, AFindingIsRunAgainSealed) {
  fuzz("torno-png-fuzz-planted", corpus, "100000");
  const std::vector<std::string> found = names(artifacts);
  ASSERT_EQ(found.size(), 1U);
  const Result again = fuzz("torno-png-fuzz-planted", artifacts + "/" + found[0], "1");
  EXPECT_THAT(again.err, says_it_crashed());
  EXPECT_EQ(read_file(victim), kSecret);
}

TEST_F(LibFuzzer, SealedItFuzzesAndKeepsWhatIsNew) {
  const std::size_t seeds = names(corpus).size();
  const Result result = fuzz("torno-png-fuzz", corpus, "5000");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_GT(names(corpus).size(), seeds);
  EXPECT_EQ(names(artifacts).size(), 0U);
}

TEST_F(LibFuzzer, ACorpusLeadsNowhereElse) {
  fs::create_directory(directory.path() + "/elsewhere");
  directory.write("elsewhere/input", "x");
  fs::create_directory_symlink(directory.path() + "/elsewhere", corpus + "/link");
  const auto inputs = [&](const std::string& name) {
    const std::string said = fuzz(name, corpus, "0").err;
    const std::size_t at = said.find(" files found in ");
    return at == std::string::npos ? said : said.substr(said.rfind(' ', at - 1) + 1, 1);
  };
  EXPECT_EQ(inputs("torno-png-fuzz-unsealed"), "4");
  EXPECT_EQ(inputs("torno-png-fuzz"), "3");
}

TEST_F(LibFuzzer, WithoutItsSealItFuzzesNothing) {
  const auto refused = [&](const std::vector<std::string>& words, const std::string& broker) {
    std::vector<std::string> command = {program("torno-png-fuzz"), "-runs=10"};
    command.insert(command.end(), words.begin(), words.end());
    const Result result = run(command, broker);
    EXPECT_EQ(result.status, 1) << result.err;
    EXPECT_TRUE(result.err.starts_with("torno-png-fuzz: error: ")) << result.err;
    EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
  };
  const std::string prefix = "-artifact_prefix=" + artifacts + "/";
  refused({prefix, corpus}, directory.path() + "/nobody.sock");
  refused({prefix}, "");
  refused({corpus}, "");
  refused({prefix, corpus, artifacts}, "");
  refused({prefix, directory.path() + "/missing"}, "");
}

// ----------------------------------------------------------------------------------- AFL++

struct Afl : Scene {
  void SetUp() override { skip_without("torno-png-afl", "afl++"); }
  // Until its first finding, or to `executions`.
  Result fuzz(const std::string& name, const std::string& executions) {
    // A machine's settings are not a test's to change: afl-fuzz would have cores dumped elsewhere.
    return run({"env",
                "-u",
                "ASAN_OPTIONS",
                "VICTIM=" + victim,
                "AFL_NO_UI=1",
                "AFL_NO_AFFINITY=1",
                "AFL_SKIP_CPUFREQ=1",
                "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1",
                "AFL_BENCH_UNTIL_CRASH=1",
                "afl-fuzz",
                "-s",
                "1",
                "-t",
                "10000",
                "-E",
                executions,
                "-i",
                corpus,
                "-o",
                findings,
                "--",
                program(name)});
  }
  const std::string findings = directory.path() + "/findings";
  const std::string crashes = findings + "/default/crashes";
};

TEST_F(Afl, APlantedBugIsFoundAndTheFileStillStands) {
  const Result result = fuzz("torno-png-afl-planted", "100000");
  EXPECT_GE(count(crashes, "id:"), 1) << result.out << result.err;
  EXPECT_EQ(read_file(victim), kSecret);
  EXPECT_FALSE(exists(victim + ".gone"));
}

TEST_F(Afl, UnsealedTheBugDestroysTheFile) {
  const Result result = fuzz("torno-png-afl-unsealed-planted", "100000");
  EXPECT_GE(count(crashes, "id:"), 1) << result.out << result.err;
  EXPECT_FALSE(exists(victim));
}

TEST_F(Afl, SealedItFuzzesAndKeepsWhatIsNew) {
  const Result result = fuzz("torno-png-afl", "500");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_GT(count(findings + "/default/queue", "id:"), count(corpus, ""));
  EXPECT_EQ(count(crashes, "id:"), 0);
}

TEST_F(Afl, WithoutItsSealItFuzzesNothing) {
  const Result result = run({program("torno-png-afl")}, directory.path() + "/nobody.sock");
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.err.starts_with("torno-png-afl: error: ")) << result.err;
}

// ----------------------------------------------------------------------------- the README

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

// Its commands, those that build aside, for a second where it says ten.
std::string readme_commands() {
  std::istringstream lines(read_file(TORNO_SOURCE_DIR "/examples/fuzz/README.md"));
  std::string commands;
  for (std::string line; std::getline(lines, line);) {
    const bool builds = line.contains("cmake") || line.contains("install-deps");
    if (line.starts_with("    ") && !builds) commands += line.substr(4) + "\n";
  }
  commands = replaced(commands, "build/release", TORNO_BINARY_DIR);
  commands = replaced(commands, "-max_total_time=10", "-max_total_time=1");
  return replaced(commands, "-V 10", "-V 1");
}

TEST_F(Scene, TheCommandsOfTheReadmeWork) {
  skip_without("torno-png-fuzz", "libclang-rt-19-dev");
  if (IsSkipped()) return;
  skip_without("torno-png-afl", "afl++");
  if (IsSkipped()) return;
  const std::string commands = readme_commands();
  ASSERT_THAT(commands, HasSubstr("asan_symbolize"));
  const Result result = run({"env", "-C", TORNO_SOURCE_DIR, "TMPDIR=" + directory.path(),
                             "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:symbolize=0",
                             "AFL_NO_AFFINITY=1", "bash", "-eu", "-c", commands});
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr(kSecret));
  EXPECT_THAT(result.out, HasSubstr("crash-"));
  EXPECT_THAT(result.out, HasSubstr("take_over.cpp:"));
}

}  // namespace
}  // namespace torno::examples
