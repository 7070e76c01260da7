#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Stat : public FilesFixture {};

TEST_F(Stat, SaysWhatTheKernelSays) {
  write("file", "12345");
  link("file", "link");
  allow(R"(file { path: "$D/**" allow: STAT })");
  for (const int flags : {0, AT_SYMLINK_NOFOLLOW}) {
    struct statx kernel{};
    ASSERT_EQ(::statx(AT_FDCWD, at("link").c_str(), flags, STATX_BASIC_STATS, &kernel), 0);
    const Outcome outcome = stat(at("link"), static_cast<unsigned>(flags));
    ASSERT_EQ(outcome.error, 0);
    EXPECT_EQ(outcome.stat.stx_ino, kernel.stx_ino);
    EXPECT_EQ(outcome.stat.stx_mode, kernel.stx_mode);
    EXPECT_EQ(outcome.stat.stx_size, kernel.stx_size);
    EXPECT_EQ(outcome.stat.stx_mtime.tv_nsec, kernel.stx_mtime.tv_nsec);
    EXPECT_EQ(outcome.stat.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
  }
}

TEST_F(Stat, ReadBringsStat) {
  write("file");
  allow(R"(file { path: "$D/file" allow: READ })");
  EXPECT_EQ(stat(at("file")).error, 0);
}

TEST_F(Stat, LeadingDirectoriesAnswer) {
  make_directory("way/goal");
  write("way/beside");
  allow(R"(file { path: "$D/way/goal/**" allow: READ })");
  EXPECT_EQ(stat("/").error, 0);
  EXPECT_EQ(stat(at("way")).error, 0);
  EXPECT_EQ(stat(at("way/")).error, 0);
  EXPECT_EQ(stat(at("way/.")).error, 0);
  EXPECT_EQ(stat(at("way/goal/..")).error, 0);
  EXPECT_TRUE(is_denied(stat(at("way/beside")), at("way/beside")));
}

TEST_F(Stat, FileWhereADirectoryWouldLeadDoesNotAnswer) {
  make_directory("home/user/public");
  write("home/note");
  allow(R"(file { path: "$D/home/*/public/**" allow: READ })");
  EXPECT_EQ(stat(at("home/user")).error, 0);
  EXPECT_TRUE(is_denied(stat(at("home/note")), at("home/note")));
  EXPECT_TRUE(is_denied(access(at("home/note"), F_OK), at("home/note")));
}

TEST_F(Stat, SpecialFilesNeedNoType) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  allow(R"(file { path: "$D/**" allow: STAT })");
  EXPECT_TRUE(S_ISFIFO(stat(at("fifo")).stat.stx_mode));
}

TEST_F(Stat, EmptyPathIsTheDescriptor) {
  write("file");
  const Fd fd(::open(at("file").c_str(), O_RDONLY | O_CLOEXEC));
  const StatRequest request{
      .place = place_at(fd.get(), ""), .flags = AT_EMPTY_PATH, .mask = STATX_BASIC_STATS};
  EXPECT_TRUE(S_ISREG(stat(request).stat.stx_mode)) << "what the client holds it may look at";
  EXPECT_EQ(stat({.place = place_at(fd.get(), ""), .mask = STATX_INO}).error, ENOENT);
  EXPECT_EQ(stat({.place = place(""), .flags = AT_EMPTY_PATH, .mask = STATX_INO}).error, ENOENT);
}

TEST_F(Stat, EmptyPathIsTheCwd) {
  make_directory("directory");
  allow(R"(file { path: "$D/directory" allow: STAT })");
  const StatRequest request{
      .place = place_in(at("directory"), ""), .flags = AT_EMPTY_PATH, .mask = STATX_BASIC_STATS};
  EXPECT_TRUE(S_ISDIR(stat(request).stat.stx_mode));
  const StatRequest hidden{
      .place = place_in("/root", ""), .flags = AT_EMPTY_PATH, .mask = STATX_BASIC_STATS};
  EXPECT_TRUE(is_denied(stat(hidden), "/root"));
}

TEST_F(Stat, ChecksFlagsAsTheKernelDoes) {
  write("file");
  allow(R"(file { path: "$D/**" allow: STAT })");
  EXPECT_EQ(stat(at("file"), 0x1).error, EINVAL);
  EXPECT_EQ(stat(at("file"), AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC).error, EINVAL);
  EXPECT_EQ(stat(at("file"), AT_STATX_FORCE_SYNC | AT_NO_AUTOMOUNT).error, 0);
  EXPECT_EQ(stat({.place = place(at("file")), .mask = 0x80000000U}).error, EINVAL);
}

}  // namespace
}  // namespace torno::files
