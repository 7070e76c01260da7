// Which files the kernel opens to execute a program, and where it is looked for.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/fd.h"
#include "tests/broker/launch/elf_image.h"
#include "tests/broker/launch/exec.h"
#include "tests/broker/launch/program_fixture.h"

namespace torno::launch::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";

std::string canonical(const std::string& path) {
  return std::filesystem::canonical(path).string();
}

std::vector<std::string> names(const Program& program) {
  std::vector<std::string> all;
  for (const ProgramFile& file : program.chain) all.push_back(file.path);
  return all;
}

std::vector<std::string> real_paths(const Program& program) {
  std::vector<std::string> all;
  for (const ProgramFile& file : program.chain) all.push_back(file.real_path);
  return all;
}

TEST_F(ProgramTest, ADynamicOneHasItsLoader) {
  const Found program = find("/bin/true");
  ASSERT_TRUE(program) << told(program);
  EXPECT_EQ(program->path, "/bin/true");
  EXPECT_FALSE(program->is_static);
  EXPECT_THAT(names(*program), ElementsAre("/bin/true", kLoader));
  EXPECT_THAT(real_paths(*program), ElementsAre(canonical("/bin/true"), canonical(kLoader)));
  EXPECT_EQ(program->executable().path, "/bin/true");
}

TEST_F(ProgramTest, AStaticOneIsAlone) {
  const Found program = find(TORNO_STATIC_PROGRAM);
  ASSERT_TRUE(program) << told(program);
  EXPECT_TRUE(program->is_static);
  EXPECT_THAT(names(*program), ElementsAre(TORNO_STATIC_PROGRAM));
  EXPECT_EQ(program->executable().path, TORNO_STATIC_PROGRAM);
}

TEST_F(ProgramTest, AScriptHasAllThatItLeadsTo) {
  const std::string inner = write("inner", "#! /bin/sh -e\n");
  const std::string outer = write("outer", "#!" + inner + "\n");
  const Found program = find(outer);
  ASSERT_TRUE(program) << told(program);
  EXPECT_EQ(program->path, outer);
  EXPECT_THAT(names(*program), ElementsAre(outer, inner, "/bin/sh", kLoader));
  EXPECT_EQ(program->executable().path, "/bin/sh");
  EXPECT_EQ(program->executable().real_path, canonical("/bin/sh"));
}

TEST_F(ProgramTest, ScriptsNestAsDeepAsInTheKernel) {
  std::string script = "/bin/true";
  int followed = 0;
  for (int depth = 1; depth < 9; ++depth) {
    const std::string line = "#!" + script + "\n";
    script = write("s" + std::to_string(depth), line);
    const Found program = find(script);
    EXPECT_EQ(program.has_value(), exec_error(script) == 0) << depth << ": " << told(program);
    followed += program ? 1 : 0;
  }
  EXPECT_EQ(followed, 5);
  const std::string loop = write("loop", "#!" + path("loop") + "\n");
  EXPECT_THAT(told(find(loop)), HasSubstr("one script too many"));
}

// What was looked at is what the descriptors lead to, whatever the names do later.
TEST_F(ProgramTest, IsHeldByItsDescriptors) {
  const std::string program = copy("program");
  struct stat before{};
  ASSERT_EQ(::stat(program.c_str(), &before), 0);
  const Found found = find(program);
  ASSERT_TRUE(found) << told(found);
  ASSERT_EQ(::rename(write("other", "#!/bin/sh\n").c_str(), program.c_str()), 0);

  struct stat held{};
  const int file = found->chain.front().file.get();
  ASSERT_EQ(::fstat(file, &held), 0);
  EXPECT_EQ(held.st_ino, before.st_ino);
  EXPECT_NE(::fcntl(file, F_GETFL) & O_PATH, 0);
  EXPECT_NE(::fcntl(file, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ProgramTest, SymlinksAreFollowed) {
  ASSERT_EQ(::symlink("/bin/true", path("link").c_str()), 0);
  const Found program = find(path("link"));
  ASSERT_TRUE(program) << told(program);
  EXPECT_EQ(program->path, path("link"));
  EXPECT_EQ(program->chain.front().real_path, canonical("/bin/true"));
}

TEST_F(ProgramTest, ANameIsLookedForInPath) {
  const std::string first = folder("first");
  const std::string second = folder("second");
  copy("second/tool");
  const Found program = find("tool", first + ":/nowhere:" + second);
  ASSERT_TRUE(program) << told(program);
  EXPECT_EQ(program->path, second + "/tool");
  copy("first/tool");
  EXPECT_EQ(find("tool", first + ":" + second)->path, first + "/tool");
  EXPECT_EQ(find_program("true", std::nullopt, AT_FDCWD)->path, "/bin/true");
}

TEST_F(ProgramTest, WhatMayNotBeExecutedIsPassedOverInPath) {
  const std::string first = folder("first");
  const std::string second = folder("second");
  folder("first/tool");
  EXPECT_THAT(told(find("tool", first + ":" + second)),
              StartsWith("126: 'tool' was found in PATH as '" + first + "/tool' alone"));
  write("second/tool", "#!/bin/sh\n", 0644);
  EXPECT_THAT(told(find("tool", first + ":" + second)), StartsWith("126: "));
  const std::string third = folder("third");
  copy("third/tool");
  EXPECT_EQ(find("tool", first + ":" + second + ":" + third)->path, third + "/tool");
  EXPECT_EQ(find("tool", write("file", "") + ":" + third)->path, third + "/tool");
}

TEST_F(ProgramTest, RelativePathsStartAtTheFolderGiven) {
  folder("work");
  copy("work/tool");
  write("work/script", "#!./tool\n");
  const Fd work(::open(path("work").c_str(), O_PATH | O_CLOEXEC));
  const Fd above(::open(path("").c_str(), O_PATH | O_CLOEXEC));
  EXPECT_EQ(find_program("./tool", "/nowhere", work.get())->path, "./tool");
  EXPECT_EQ(find_program("work/tool", "/nowhere", above.get())->path, "work/tool");
  EXPECT_EQ(find_program("tool", "work", above.get())->path, "work/tool");
  for (const char* with_empty_part : {"", ":/nowhere", "/nowhere:", "/nowhere::/x"}) {
    const Found program = find_program("tool", with_empty_part, work.get());
    ASSERT_TRUE(program) << told(program);
    EXPECT_EQ(program->path, "tool");
    EXPECT_EQ(program->chain.front().real_path, path("work/tool"));
  }
  EXPECT_THAT(names(*find_program("./script", "", work.get())),
              ElementsAre("./script", "./tool", kLoader));
  EXPECT_THAT(told(find_program("work/script", "", above.get())),
              StartsWith("126: cannot open the interpreter './tool' of 'work/script': No such"));
}

TEST_F(ProgramTest, WhatIsMissingIs127) {
  EXPECT_THAT(told(find("no-such-tool", "/bin")), StartsWith("127: 'no-such-tool' was not found"));
  EXPECT_THAT(told(find(path("missing"))), StartsWith("127: cannot open '"));
  EXPECT_THAT(told(find("")), StartsWith("127: "));
  EXPECT_THAT(told(find(std::string(300, 'a'), "/bin")), StartsWith("127: "));
  EXPECT_THAT(told(find(std::string("/bin/true\0x", 11))), StartsWith("127: "));
}

TEST_F(ProgramTest, AMessageStaysOnOneLine) {
  EXPECT_EQ(told(find("a\nb", "/bin")),
            "127: 'a\\x0ab' was not found in PATH; write the program's path, or mend PATH");
}

}  // namespace
}  // namespace torno::launch::test
