// Links and files that others put into a world-writable sticky directory. Only root can make what
// belongs to somebody else.
#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Sticky : public FilesFixture {
 protected:
  static constexpr uid_t kSomebody = 54321;

  void SetUp() override {
    FilesFixture::SetUp();
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make what belongs to somebody else";
    make_directory("tmp/open");
    ASSERT_EQ(::chmod(at("tmp").c_str(), 01777), 0);
    write("tmp/mine");
    write("tmp/theirs");
    link("mine", "tmp/my_link");
    link("mine", "tmp/their_link");
    link("open", "tmp/their_way");
    for (const char* name : {"tmp/theirs", "tmp/their_link", "tmp/their_way"}) {
      ASSERT_EQ(::lchown(at(name).c_str(), kSomebody, kSomebody), 0);
    }
    allow(R"(file { path: "$D/**" allow: [READ, WRITE, CREATE] })");
  }
};

TEST_F(Sticky, LinkOfSomebodyElseIsNotFollowed) {
  EXPECT_EQ(open(at("tmp/my_link")).error, 0);
  EXPECT_EQ(open(at("tmp/their_link")).error, EACCES);
  EXPECT_EQ(stat(at("tmp/their_link")).error, EACCES);
  EXPECT_EQ(readlink(at("tmp/their_link")).target, "mine");
  EXPECT_EQ(stat(at("tmp/their_way/.")).error, 0) << "as the kernel: only the last of a path";
}

TEST_F(Sticky, CreateDoesNotTakeTheFileOfSomebodyElse) {
  EXPECT_EQ(open(at("tmp/mine"), O_WRONLY | O_CREAT, 0600).error, 0);
  EXPECT_EQ(open(at("tmp/theirs"), O_WRONLY | O_CREAT, 0600).error, EACCES);
  EXPECT_EQ(open(at("tmp/theirs"), O_WRONLY).error, 0);
  ASSERT_EQ(::chmod(at("tmp").c_str(), 0777), 0);
  EXPECT_EQ(open(at("tmp/theirs"), O_WRONLY | O_CREAT, 0600).error, 0);
  EXPECT_EQ(open(at("tmp/their_link")).error, 0);
}

}  // namespace
}  // namespace torno::files
