#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Access : public FilesFixture {};

TEST_F(Access, EachModeNeedsItsPermission) {
  write("file");
  ASSERT_EQ(::chmod(at("file").c_str(), 0777), 0);
  const struct {
    const char* permissions;
    std::uint32_t mode;
    bool allowed;
  } cases[] = {
      {"STAT", F_OK, true},
      {"STAT", R_OK, false},
      {"READ", R_OK, true},
      {"READ", W_OK, false},
      {"READ", X_OK, false},
      {"READ", R_OK | X_OK, false},
      {"WRITE", W_OK, true},
      {"WRITE", R_OK, false},
      {"EXECUTE", X_OK, true},
      {"EXECUTE", R_OK, false},
      {"EXECUTE", F_OK, true},
      {"[READ, EXECUTE]", R_OK | X_OK, true},
      {"[READ, WRITE]", R_OK | W_OK, true},
  };
  for (const auto& item : cases) {
    allow(std::string("file { path: \"$D/file\" allow: ") + item.permissions + " }");
    EXPECT_EQ(access(at("file"), item.mode).error, item.allowed ? 0 : EACCES)
        << item.permissions << " mode " << item.mode;
  }
}

TEST_F(Access, SearchingADirectoryNeedsStat) {
  make_directory("directory");
  allow(R"(file { path: "$D/directory" allow: STAT })");
  EXPECT_EQ(access(at("directory"), X_OK).error, 0);
}

TEST_F(Access, LeadingDirectoryExistsAndNothingElse) {
  make_directory("way/goal");
  allow(R"(file { path: "$D/way/goal/**" allow: READ })");
  EXPECT_EQ(access(at("way"), F_OK).error, 0);
  EXPECT_EQ(access(at("way"), X_OK).error, 0);
  EXPECT_EQ(access(at("way"), X_OK, AT_EACCESS).error, 0);
  for (const int mode : {R_OK, W_OK, R_OK | X_OK, W_OK | X_OK}) {
    EXPECT_TRUE(is_denied(access(at("way"), static_cast<std::uint32_t>(mode)))) << mode;
  }
}

TEST_F(Access, OnlyADirectoryOnTheWayCanBeEntered) {
  make_directory("real/goal");
  link("real", "way");
  write("other");
  ASSERT_EQ(::chmod(at("other").c_str(), 0777), 0);
  allow(R"(file { path: "$D/way/goal/**" allow: READ })");
  EXPECT_EQ(access(at("way"), X_OK).error, 0);
  EXPECT_EQ(access(at("way"), F_OK, AT_SYMLINK_NOFOLLOW).error, 0);
  EXPECT_TRUE(is_denied(access(at("way"), X_OK, AT_SYMLINK_NOFOLLOW)));
  EXPECT_TRUE(is_denied(access(at("other"), X_OK)));
  // Where any name may lead on, a file is none the more executable.
  allow(R"(file { path: "$D/*/goal/**" allow: READ })");
  EXPECT_TRUE(is_denied(access(at("other"), X_OK)));
  EXPECT_EQ(access(at("missing"), X_OK).error, access(at("missing"), F_OK).error);
}

TEST_F(Access, TheFilesOwnModeCountsToo) {
  write("file");
  ASSERT_EQ(::chmod(at("file").c_str(), 0600), 0);
  allow(R"(file { path: "$D/file" allow: [READ, WRITE, EXECUTE] })");
  EXPECT_EQ(access(at("file"), R_OK | W_OK).error, 0);
  // Not even root may execute what nobody may.
  const Outcome outcome = access(at("file"), X_OK);
  EXPECT_EQ(outcome.error, EACCES);
  EXPECT_FALSE(outcome.denial) << "the kernel refused, not the policy";
}

TEST_F(Access, SpecialFileNeedsItsTypeForReadingAndWriting) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0666), 0);
  allow(R"(file { path: "$D/fifo" allow: READ })");
  EXPECT_EQ(access(at("fifo"), F_OK).error, 0);
  EXPECT_TRUE(is_denied(access(at("fifo"), R_OK)));
  allow(R"(file { path: "$D/fifo" allow: READ type: FIFO })");
  EXPECT_EQ(access(at("fifo"), R_OK).error, 0);
}

TEST_F(Access, FollowsLinksOrNot) {
  link("missing", "dangling");
  allow(R"(file { path: "$D/**" allow: READ })");
  EXPECT_EQ(access(at("dangling"), F_OK).error, ENOENT);
  EXPECT_EQ(access(at("dangling"), F_OK, AT_SYMLINK_NOFOLLOW).error, 0);
}

TEST_F(Access, ChecksItsArguments) {
  write("file");
  allow(R"(file { path: "$D/**" allow: READ })");
  EXPECT_EQ(access(at("file"), 8).error, EINVAL);
  EXPECT_EQ(access(at("file"), F_OK, AT_SYMLINK_FOLLOW).error, EINVAL);
  EXPECT_EQ(access(at("file"), R_OK, AT_EACCESS).error, 0);
}

TEST_F(Access, EmptyPathIsTheDescriptor) {
  write("file");
  const Fd fd(::open(at("file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(access({.place = place_at(fd.get(), ""), .mode = R_OK, .flags = AT_EMPTY_PATH}).error,
            0);
  EXPECT_EQ(access({.place = place_at(fd.get(), ""), .mode = R_OK}).error, ENOENT);
}

}  // namespace
}  // namespace torno::files
