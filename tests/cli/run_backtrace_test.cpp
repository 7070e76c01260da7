// torno run --verbose: where a program crashed, and that looking changes nothing else.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string_view>

#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// The program may be read by whoever reads its mappings; it needs no rule itself.
Said verbose(std::vector<std::string> words, const std::string& program = TORNO_ENDINGS) {
  words.insert(words.begin(), {"--verbose", "--", program});
  return run(words);
}

// The three functions of endings.c, the inner one first, each with its place.
void expect_frames(const std::string& text) {
  std::size_t at = 0;
  int number = 0;
  for (const char* function : {"inner_most", "in_the_middle", "outer_most"}) {
    const std::string frame = "torno:   #" + std::to_string(number++) + " 0x";
    at = text.find(frame, at);
    ASSERT_NE(at, std::string::npos) << function << " in\n" << text;
    const std::string line = text.substr(at, text.find('\n', at) - at);
    EXPECT_THAT(line, HasSubstr(" in " + std::string(function) + "+0x"));
    EXPECT_THAT(line, HasSubstr(" (endings.c:"));
    EXPECT_THAT(line, HasSubstr(" " TORNO_ENDINGS));
  }
}

TEST(RunBacktrace, NamesFunctionsAndLines) {
  const Said said = verbose({"fault"});
  EXPECT_EQ(said.status, 139);
  expect_frames(said.err);
  EXPECT_THAT(said.err, HasSubstr("torno: backtrace of run_endings["));
  EXPECT_THAT(said.err, HasSubstr(" in main+0x"));
  EXPECT_THAT(said.err, HasSubstr("torno: error: ended by SIGSEGV (segmentation fault)\n"));
}

TEST(RunBacktrace, IsNotMadeUnlessAsked) {
  const Said said = run({"--", TORNO_ENDINGS, "fault"});
  EXPECT_EQ(said.status, 139);
  EXPECT_EQ(said.err, "torno: error: ended by SIGSEGV (segmentation fault)\n");
}

TEST(RunBacktrace, OfAnAbortAThreadAndAChild) {
  const Said aborted = verbose({"abort"});
  EXPECT_EQ(aborted.status, 134);
  EXPECT_THAT(aborted.err, HasSubstr(" in main+0x"));
  const Said thread = verbose({"thread"});
  EXPECT_EQ(thread.status, 139);
  expect_frames(thread.err);
  EXPECT_THAT(thread.err, HasSubstr(" in in_a_thread+0x"));
  const Said child = verbose({"child"});
  EXPECT_EQ(child.status, 0);
  EXPECT_EQ(child.out, "signal 11 status 0\n");
  expect_frames(child.err);
}

TEST(RunBacktrace, OfARefusedCall) {
  const TemporaryDirectory directory;
  const std::string policy = directory.write(
      "own.policy", "include: \"base\"\nsyscall { name: \"mkdir\" action: KILL }\n");
  const Said said = run({"--verbose", "--policy", policy, "--", TORNO_ENDINGS, "mkdir", "/x"});
  EXPECT_EQ(said.status, 159);
  EXPECT_THAT(said.err, HasSubstr(" in make_folder+0x"));
  EXPECT_THAT(said.err, HasSubstr(" in main+0x"));
  EXPECT_THAT(said.err, HasSubstr("ended by SIGSYS: refused call mkdir(\"/x\", 0700)\n"));
}

TEST(RunBacktrace, NoneOfWhatTheProgramHandles) {
  const Said said = verbose({"handler"});
  EXPECT_EQ(said.status, 7);
  EXPECT_EQ(said.out, "taken\n");
  EXPECT_THAT(said.err, Not(HasSubstr("backtrace")));
}

TEST(RunBacktrace, StoppedAndContinuedAsWithoutATracer) {
  const Said plain = run({"--", TORNO_ENDINGS, "stopped-child"});
  const Said traced = verbose({"stopped-child"});
  EXPECT_EQ(traced.out, plain.out);
  EXPECT_EQ(traced.status, plain.status);
  EXPECT_THAT(plain.out, HasSubstr("stopped by 19\n"));
}

// Steered threads, children and pipes, followed or not.
TEST(RunBacktrace, AShellWorksAsBefore) {
  const std::string script =
      "cd /usr/lib && pwd; for i in 1 2 3 4 5; do (cd / && echo $i | cat; exit $i); echo $?; done; "
      "trap 'echo taken' USR1; kill -USR1 $$; echo end";
  const std::vector<std::string> words = {"--policy", "bash",      "--read", "/usr/lib",
                                          "--",       "/bin/bash", "-c",     script};
  const Said plain = run(words);
  std::vector<std::string> with = {"--verbose"};
  with.insert(with.end(), words.begin(), words.end());
  const Said traced = run(with);
  EXPECT_EQ(traced.out, plain.out) << traced.err;
  EXPECT_EQ(traced.status, plain.status);
  EXPECT_THAT(plain.out, HasSubstr("/usr/lib\n1\n"));
}

std::string content(const std::string& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Spoils the debugging information, which only torno-backtrace reads.
TEST(RunBacktrace, AHostileFileHurtsNobody) {
  const TemporaryDirectory directory;
  std::string bytes = content(TORNO_ENDINGS);
  const auto* const file = reinterpret_cast<const Elf64_Ehdr*>(bytes.data());
  const auto* const sections = reinterpret_cast<const Elf64_Shdr*>(bytes.data() + file->e_shoff);
  const char* const names = bytes.data() + sections[file->e_shstrndx].sh_offset;
  int spoilt = 0;
  for (int i = 0; i < file->e_shnum; ++i) {
    const Elf64_Shdr& section = sections[i];
    if (!std::string_view(names + section.sh_name).starts_with(".debug_")) continue;
    ++spoilt;
    for (std::size_t at = 16; at < section.sh_size; at += 3) {
      bytes[section.sh_offset + at] = static_cast<char>(bytes[section.sh_offset + at] ^ 0x5a);
    }
  }
  ASSERT_GT(spoilt, 0);
  const std::string program = directory.write("hostile", bytes);
  ASSERT_EQ(::chmod(program.c_str(), 0755), 0);
  const Said said = verbose({"fault"}, program);
  EXPECT_EQ(said.status, 139);
  EXPECT_THAT(said.err, HasSubstr("torno: backtrace of hostile["));
  EXPECT_THAT(said.err, HasSubstr("ended by SIGSEGV"));
}

}  // namespace
}  // namespace torno::cli
