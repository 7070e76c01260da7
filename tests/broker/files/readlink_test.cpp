#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Readlink : public FilesFixture {};

TEST_F(Readlink, ReadsTheText) {
  link("some/where", "link");
  allow(R"(file { path: "$D/**" allow: STAT })");
  EXPECT_EQ(readlink(at("link")).target, "some/where");
  EXPECT_EQ(readlink(at("link"), 4).target, "some");
}

TEST_F(Readlink, OnlyOfLinks) {
  write("file");
  make_directory("directory");
  link("directory", "link");
  allow(R"(file { path: "$D/**" allow: STAT })");
  EXPECT_EQ(readlink(at("file")).error, EINVAL);
  EXPECT_EQ(readlink(at("directory")).error, EINVAL);
  EXPECT_EQ(readlink(at("link/")).error, EINVAL);
  EXPECT_EQ(readlink(at("missing")).error, ENOENT);
}

TEST_F(Readlink, ChecksTheSize) {
  link("x", "link");
  allow(R"(file { path: "$D/**" allow: STAT })");
  EXPECT_EQ(readlink(at("link"), 0).error, EINVAL);
  EXPECT_EQ(readlink(at("link"), 0x80000000U).error, EINVAL);
}

TEST_F(Readlink, LinkOnTheWayAnswers) {
  make_directory("real/goal");
  link("real", "way");
  allow(R"(file { path: "$D/way/goal/**" allow: READ })");
  const Outcome outcome = readlink(at("way"));
  EXPECT_EQ(outcome.error, 0);
  EXPECT_EQ(outcome.target, "real");
}

TEST_F(Readlink, HiddenLinkDoesNot) {
  link("secret", "link");
  make_directory("allowed");
  allow(R"(file { path: "$D/allowed/**" allow: READ })");
  EXPECT_TRUE(is_denied(readlink(at("link")), at("link")));
}

TEST_F(Readlink, EmptyPathIsTheLinkThatTheClientHolds) {
  link("text", "link");
  const Fd fd(::open(at("link").c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  EXPECT_EQ(readlink({.place = place_at(fd.get(), ""), .size = 100}).target, "text");
  const Fd directory(::open(at("").c_str(), O_PATH | O_CLOEXEC));
  EXPECT_EQ(readlink({.place = place_at(directory.get(), ""), .size = 100}).error, ENOENT);
}

TEST_F(Readlink, LinkOfAProcessIsNotReadWithTheBrokersRights) {
  const Fd fd(::open("/proc/self/exe", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  ASSERT_TRUE(fd);
  const Outcome outcome = readlink({.place = place_at(fd.get(), ""), .size = 4096});
  EXPECT_EQ(outcome.error, EACCES);
  EXPECT_EQ(outcome.target, "");
}

}  // namespace
}  // namespace torno::files
