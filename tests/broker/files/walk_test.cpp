// The slow way: "..", symlinks, trailing slashes, long names.
#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class WalkTest : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("allowed/deep");
    make_directory("allowed2");
    make_directory("forbidden");
    write("allowed/file", "open");
    write("allowed/deep/file", "deep");
    write("allowed2/file", "secret");
    write("forbidden/file", "secret");
    allow(R"(file { path: "$D/allowed/**" allow: READ })");
  }

  // Opens and reads as a program outside any sandbox: what an attack gains there.
  static std::string unconfined(const std::string& path) { return contents(path); }
};

TEST_F(WalkTest, FollowsDotDotInsideWhatIsAllowed) {
  const Outcome outcome = open(at("allowed/deep/../file"));
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(contents(outcome.fd.get()), "open");
  EXPECT_EQ(open(at("allowed/./deep/..//./file")).error, 0);
}

TEST_F(WalkTest, DotDotDoesNotLeaveWhatIsAllowed) {
  for (const char* name : {"allowed/../forbidden/file", "allowed/deep/../../forbidden/file",
                           "allowed/../allowed2/file"}) {
    ASSERT_EQ(unconfined(at(name)), "secret");
    EXPECT_TRUE(is_denied(open(at(name)))) << name;
  }
  EXPECT_TRUE(is_denied(open(at("allowed/../forbidden/file")), at("forbidden/file")));
}

TEST_F(WalkTest, DotDotOfTheRootIsTheRoot) {
  EXPECT_EQ(open("/../.." + at("allowed/file")).error, 0);
}

TEST_F(WalkTest, SiblingWithTheSamePrefixIsAnother) {
  ASSERT_EQ(unconfined(at("allowed2/file")), "secret");
  EXPECT_TRUE(is_denied(open(at("allowed2/file")), at("allowed2/file")));
}

TEST_F(WalkTest, LinkAtTheEndLeadsOnlyWhereAllowed) {
  link("../forbidden/file", "allowed/out");
  link("deep/file", "allowed/in");
  ASSERT_EQ(unconfined(at("allowed/out")), "secret");
  EXPECT_TRUE(is_denied(open(at("allowed/out")), at("forbidden/file")));
  EXPECT_EQ(open(at("allowed/in")).error, 0);
}

TEST_F(WalkTest, LinkOnTheWayLeadsOnlyWhereAllowed) {
  link("../forbidden", "allowed/out");
  link("deep", "allowed/in");
  ASSERT_EQ(unconfined(at("allowed/out/file")), "secret");
  EXPECT_TRUE(is_denied(open(at("allowed/out/file")), at("forbidden/file")));
  EXPECT_EQ(open(at("allowed/in/file")).error, 0);
  EXPECT_EQ(open(at("allowed/in/../file")).error, 0);
}

TEST_F(WalkTest, ChainOfLinksLeadsOnlyWhereAllowed) {
  link("two", "allowed/one");
  link(at("allowed/three"), "allowed/two");
  link("../forbidden/file", "allowed/three");
  ASSERT_EQ(unconfined(at("allowed/one")), "secret");
  EXPECT_TRUE(is_denied(open(at("allowed/one")), at("forbidden/file")));
}

TEST_F(WalkTest, AllowedFileBehindAForbiddenLinkIsNotReached) {
  link("../allowed", "forbidden/back");
  EXPECT_TRUE(is_denied(open(at("forbidden/back/file")), at("forbidden/back/file")));
}

TEST_F(WalkTest, LoopIsEloop) {
  link("loop", "allowed/loop");
  link("pong", "allowed/ping");
  link("ping", "allowed/pong");
  EXPECT_EQ(open(at("allowed/loop")).error, ELOOP);
  EXPECT_EQ(stat(at("allowed/ping")).error, ELOOP);
  EXPECT_EQ(open(at("allowed/ping/file")).error, ELOOP);
}

TEST_F(WalkTest, FortyLinksAreFollowedAndNoMore) {
  link("file", "allowed/link1");
  for (int i = 2; i <= 41; ++i) {
    link("link" + std::to_string(i - 1), "allowed/link" + std::to_string(i));
  }
  EXPECT_EQ(open(at("allowed/link40")).error, 0);
  EXPECT_EQ(open(at("allowed/link41")).error, ELOOP);
}

TEST_F(WalkTest, EndlessDotDotsAreBounded) {
  std::string text;
  while (text.size() + 8 < PATH_MAX - 200) text += "deep/../";
  link(text + "file", "allowed/long");
  EXPECT_EQ(open(at("allowed/long")).error, 0);
  link(text + "long", "allowed/longer");
  link(text + "longer", "allowed/longest");
  link(text + "longest", "allowed/endless");
  link(text + "endless", "allowed/too_long");
  EXPECT_EQ(open(at("allowed/too_long")).error, ELOOP);
  const Outcome outcome = files_->open(policy_, {.place = place(at("allowed/long"))}, Wait::kNever);
  EXPECT_TRUE(outcome.would_block) << "an io thread walks a few hundred steps at most";
}

TEST_F(WalkTest, TrailingSlashMeansADirectory) {
  link("deep", "allowed/to_directory");
  link("file", "allowed/to_file");
  link("deep/", "allowed/to_slash");
  EXPECT_EQ(open(at("allowed/deep/")).error, 0);
  EXPECT_EQ(open(at("allowed/deep/.")).error, 0);
  EXPECT_EQ(open(at("allowed/file/")).error, ENOTDIR);
  EXPECT_EQ(open(at("allowed/file/.")).error, ENOTDIR);
  EXPECT_EQ(open(at("allowed/file/..")).error, ENOTDIR);
  EXPECT_EQ(open(at("allowed/to_file/")).error, ENOTDIR);
  EXPECT_EQ(open(at("allowed/to_slash")).error, 0);
  EXPECT_EQ(open(at("allowed/missing/")).error, ENOENT);
  EXPECT_EQ(open(at("allowed/missing/.")).error, ENOENT);
  // It follows a link that O_NOFOLLOW would not.
  EXPECT_EQ(open(at("allowed/to_directory/"), O_RDONLY | O_NOFOLLOW).error, 0);
  const Outcome directory = stat(at("allowed/to_directory/"), AT_SYMLINK_NOFOLLOW);
  EXPECT_TRUE(S_ISDIR(directory.stat.stx_mode));
  const Outcome symlink = stat(at("allowed/to_directory"), AT_SYMLINK_NOFOLLOW);
  EXPECT_TRUE(S_ISLNK(symlink.stat.stx_mode));
}

TEST_F(WalkTest, FileOnTheWayIsEnotdir) {
  EXPECT_EQ(open(at("allowed/file/x")).error, ENOTDIR);
  EXPECT_EQ(open(at("allowed/deep/../file/x")).error, ENOTDIR);
}

TEST_F(WalkTest, LongNames) {
  const std::string name(NAME_MAX, 'n');
  write("allowed/" + name);
  EXPECT_EQ(open(at("allowed/" + name)).error, 0);
  EXPECT_EQ(open(at("allowed/deep/../" + name)).error, 0);
  EXPECT_EQ(open(at("allowed/" + name + "n")).error, ENAMETOOLONG);
  EXPECT_EQ(open(at("allowed/deep/../" + name + "n")).error, ENAMETOOLONG);
}

TEST_F(WalkTest, LongPaths) {
  std::string path = at("allowed");
  while (path.size() + 5 < PATH_MAX) path += "/./.";
  path.resize(PATH_MAX - 1 - 5, '/');
  EXPECT_EQ(open(path + "/file").error, 0);
  EXPECT_EQ(open(path + "//file").error, ENAMETOOLONG);
  EXPECT_EQ(open(std::string(std::size_t{3} * PATH_MAX, '/')).error, ENAMETOOLONG);
}

TEST_F(WalkTest, HostileTextIsRefused) {
  EXPECT_EQ(open("").error, ENOENT);
  EXPECT_EQ(open("relative").error, EINVAL);
  EXPECT_EQ(open(at("allowed/file") + std::string(1, '\0') + "x").error, EINVAL);
}

TEST_F(WalkTest, CwdIsText) {
  EXPECT_EQ(open({.place = place_in(at("allowed"), "file")}).error, 0);
  EXPECT_EQ(open({.place = place_in(at("allowed/deep"), "../file")}).error, 0);
  EXPECT_EQ(open({.place = place_in("/", at("allowed/file"))}).error, 0);
  EXPECT_TRUE(is_denied(open({.place = place_in(at("allowed"), "../forbidden/file")})));
  EXPECT_TRUE(is_denied(open({.place = place_in(at("forbidden"), "file")})));
  EXPECT_EQ(open({.place = place_in("(unreachable)/x", "file")}).error, ENOENT);
  EXPECT_EQ(open({.place = place_in("", "file")}).error, ENOENT);
  EXPECT_EQ(open({.place = place_in("relative", "file")}).error, ENOENT);
}

TEST_F(WalkTest, LinkIntoTheAllowedPlaceWorksWhenThePolicyShowsIt) {
  link("allowed", "shown");
  allow(R"(file { path: "$D/allowed/**" allow: READ } file { path: "$D/shown/**" allow: READ })");
  const Outcome outcome = open(at("shown/file"));
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(contents(outcome.fd.get()), "open");
}

}  // namespace
}  // namespace torno::files
