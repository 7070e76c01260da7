// What is found and not started: each is 126, with the reason.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/broker/launch/elf_image.h"
#include "tests/broker/launch/exec.h"
#include "tests/broker/launch/program_fixture.h"
#include "tests/support/in_a_child.h"
#include "tests/support/mount_namespace.h"

namespace torno::launch::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uid_t kSomebodyElse = 65534;

auto refused(const std::string& why) {
  return AllOf(StartsWith("126: "), HasSubstr(why));
}

TEST_F(ProgramTest, SetIdIsRefused) {
  EXPECT_EQ(told(find(copy("plain"))), "found");
  EXPECT_THAT(told(find(copy("suid", 04755))),
              refused("is set-user-ID; in a sandbox it would run "));
  EXPECT_THAT(told(find(copy("sgid", 02755))), refused("is set-group-ID; "));
  EXPECT_THAT(told(find(copy("both", 06755))), refused("is set-user-ID; "));
  EXPECT_EQ(told(find(copy("mandatory", 02745))), "found")
      << "without x for the group it is no set-group-ID program";
}

TEST_F(ProgramTest, SetIdIsRefusedWhereverItStands) {
  const std::string interpreter = copy("interpreter");
  const std::string script = write("script", "#!" + interpreter + "\n");
  EXPECT_EQ(told(find(script)), "found");
  ASSERT_EQ(::chmod(interpreter.c_str(), 04755), 0);
  EXPECT_THAT(told(find(script)),
              refused("the interpreter '" + interpreter + "' of '" + script + "' is set-user-ID"));
  EXPECT_THAT(told(find(write("suid", "#!/bin/sh\n", 04755))), refused("is set-user-ID"));

  const std::string loader = copy("loader", 04755, "/lib64/ld-linux-x86-64.so.2");
  const std::string program = write("program", ElfImage(loader).bytes());
  EXPECT_THAT(told(find(program)), refused("is set-user-ID"));
  ASSERT_EQ(::chmod(loader.c_str(), 0755), 0);
  EXPECT_EQ(told(find(program)), "found");
}

TEST_F(ProgramTest, ASetIdProgramFoundInPathIsNotPassedOver) {
  const std::string first = folder("first");
  const std::string second = folder("second");
  copy("first/tool", 04755);
  copy("second/tool");
  EXPECT_THAT(told(find("tool", first + ":" + second)), refused("is set-user-ID"));
}

TEST_F(ProgramTest, FileCapabilitiesAreRefused) {
  const std::string program = copy("program");
  ASSERT_EQ(told(find(program)), "found");
  vfs_cap_data capabilities{};
  capabilities.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  capabilities.data[0].permitted = 1U << CAP_NET_RAW;
  if (::setxattr(program.c_str(), "security.capability", &capabilities, XATTR_CAPS_SZ_2, 0) != 0) {
    GTEST_SKIP() << "only root gives a file capabilities, where the file system takes them";
  }
  EXPECT_THAT(told(find(program)), refused("has file capabilities; "));
}

TEST_F(ProgramTest, WhatIsNoFileToExecuteIsRefused) {
  EXPECT_THAT(told(find(folder("folder"))), refused("is a directory"));
  EXPECT_THAT(told(find("/")), refused("is a directory"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0777), 0);
  EXPECT_THAT(told(find(path("fifo"))), refused("is no regular file"));
  EXPECT_THAT(told(find("/dev/null")), refused("is no regular file"));
  EXPECT_THAT(told(find(copy("not-executable", 0644))), refused("may not be executed"));
  EXPECT_THAT(told(find(path("not-executable/x"))), refused("Not a directory"));
  ASSERT_EQ(::symlink("loop", path("loop").c_str()), 0);
  EXPECT_THAT(told(find(path("loop"))), refused("symbolic links"));
}

TEST_F(ProgramTest, AFileWithoutANameIsRefused) {
  const Fd file = file_of(ElfImage("").bytes());
  ASSERT_EQ(::fchmod(file.get(), 0700), 0);
  EXPECT_THAT(told(find("/proc/self/fd/" + std::to_string(file.get()))),
              refused("is a deleted file"));
}

TEST_F(ProgramTest, WhatTheKernelCannotExecuteIsAFormatError) {
  int count = 0;
  const auto make = [&](const std::string& text) {
    return write("p" + std::to_string(++count), text);
  };
  for (const std::string text :
       {"", "echo hello\n", "#", "#!", "#!\n", "MZ", "\177EL", "\177ELF"}) {
    const std::string program = make(text);
    EXPECT_THAT(told(find(program)), refused("exec format error: ")) << text;
    EXPECT_NE(exec_error(program), 0) << text;
  }
  ElfImage other("");
  other.head.e_machine = EM_AARCH64;
  EXPECT_THAT(told(find(make(other.bytes()))), refused("is built for another machine (aarch64)"));
  ElfImage narrow("");
  narrow.head.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(told(find(make(narrow.bytes()))), refused("is a 32-bit program"));
}

TEST_F(ProgramTest, AnInterpreterThatIsMissingOrNoProgramIsRefused) {
  const std::string missing = path("missing");
  EXPECT_THAT(
      told(find(write("a", "#!" + missing + "\n"))),
      refused("cannot open the interpreter '" + missing + "' of '" + path("a") + "': No such"));
  EXPECT_THAT(told(find(write("b", "#!" + directory_.path() + "\n"))), refused("is a directory"));
  EXPECT_THAT(told(find(write("c", "#!/bin/sh\r\n"))), refused("interpreter '/bin/sh\\x0d'"));
  EXPECT_THAT(told(find(write("d", ElfImage(missing).bytes()))), refused("cannot open the interp"));
  EXPECT_THAT(told(find(write("e", ElfImage(path("c")).bytes()))), refused("is no ELF file"));
  const std::string text = write("text", "hello", 0644);
  EXPECT_THAT(told(find(write("f", "#!" + text + "\n"))), refused("may not be executed"));
}

TEST_F(ProgramTest, WhatCannotBeReadIsRefused) {
  const std::string hidden = copy("hidden", 0111);
  const std::string shown = copy("shown", 0555);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
  torno::test::in_a_child(
      [] {
        return ::geteuid() != 0 || (::setgroups(0, nullptr) == 0 && ::setgid(kSomebodyElse) == 0 &&
                                    ::setuid(kSomebodyElse) == 0);
      },
      [&] {
        EXPECT_EQ(exec_error(hidden), 0) << "the kernel executes it";
        EXPECT_THAT(told(find(hidden)), refused("may be executed but not read"));
        EXPECT_EQ(told(find(shown)), "found");
      });
}

TEST_F(ProgramTest, OnANoexecMountNothingIsExecutable) {
  const std::string place = folder("place");
  torno::test::in_a_child(
      [&] {
        return torno::test::enter_mount_namespace() &&
               ::mount("none", place.c_str(), "tmpfs", 0, nullptr) == 0;
      },
      [&] {
        const std::string program = copy("place/true");
        EXPECT_EQ(told(find(program)), "found");
        ASSERT_EQ(
            ::mount(nullptr, place.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_NOEXEC, nullptr), 0);
        EXPECT_THAT(told(find(program)), refused("mounted noexec"));
      });
}

}  // namespace
}  // namespace torno::launch::test
