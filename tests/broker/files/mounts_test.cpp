// Where the broker opens a path for a client that has folders of its own.
#include "broker/files/mounts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

Fd folder(const std::string& path) {
  return Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

TEST(Mounts, AFolderBeginsAtItsName) {
  Mounts mounts(folder("/"));
  mounts.add("/tmp", folder("/"));
  mounts.add("/var/tmp", folder("/"));
  const int root = mounts.root();
  const auto start = [&](const std::string& path) { return mounts.start_of(path); };
  EXPECT_EQ(start("/").directory, root);
  EXPECT_STREQ(start("/").path, ".");
  EXPECT_EQ(start("/tmpx/a").directory, root);
  const std::string other = "/tmpx/a";
  EXPECT_STREQ(mounts.start_of(other).path, "tmpx/a");
  const std::string inside = "/tmp/a/b";
  EXPECT_NE(mounts.start_of(inside).directory, root);
  EXPECT_STREQ(mounts.start_of(inside).path, "a/b");
  EXPECT_STREQ(start("/tmp").path, ".");
  EXPECT_NE(start("/tmp").directory, start("/var/tmp").directory);
  EXPECT_EQ(start("/var").directory, root);
  EXPECT_TRUE(mounts.is_mount("/tmp"));
  EXPECT_FALSE(mounts.is_mount("/tmp/a"));
  EXPECT_FALSE(mounts.is_mount("/var"));
}

class MountsFiles : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    for (const char* name : {"own", "store", "open"}) make_directory(name);
    write("own/machines");
    write("open/file", "open");
    write("secret", "secret");
    allow(
        "file { path: \"$D/own/**\" allow: [READ, WRITE, CREATE] }\n"
        "file { path: \"$D/open/**\" allow: READ }\n");
  }
  void mount() { ASSERT_TRUE(files_->mount(at("own"), folder(at("store")))); }
};

TEST_F(MountsFiles, HidesWhatTheMachineHasThere) {
  EXPECT_EQ(open(at("own/machines")).error, 0);  // positive control
  mount();
  EXPECT_EQ(open(at("own/machines")).error, ENOENT);
  EXPECT_EQ(stat(at("own/machines")).error, ENOENT);
  EXPECT_EQ(open(at("own/./x/../machines")).error, ENOENT);
  EXPECT_EQ(open(at("own/made"), O_WRONLY | O_CREAT, 0600).error, 0);
  EXPECT_TRUE(std::filesystem::exists(at("store/made")));
  EXPECT_FALSE(std::filesystem::exists(at("own/made")));
  EXPECT_EQ(open(at("own/../own/made")).error, 0);
  EXPECT_EQ(open(at("own"), O_RDONLY | O_DIRECTORY).error, 0);
}

TEST_F(MountsFiles, LinksInItLeadWhereTheirTextSays) {
  mount();
  link("../open/file", "store/near");
  link(at("open/file"), "store/far");
  link("../secret", "store/bad");
  link("/etc/shadow", "store/worse");
  EXPECT_EQ(contents(open(at("own/near")).fd.get()), "open");
  EXPECT_EQ(contents(open(at("own/far")).fd.get()), "open");
  EXPECT_TRUE(is_denied(open(at("own/bad")), at("secret")));
  EXPECT_TRUE(is_denied(open(at("own/worse")), "/etc/shadow"));
  EXPECT_TRUE(is_denied(open(at("own/../secret")), at("secret")));
}

TEST_F(MountsFiles, ALinkFromOutsideLeadsIntoIt) {
  mount();
  write("store/inside", "inside");
  link("../own/inside", "open/link");
  EXPECT_EQ(contents(open(at("open/link")).fd.get()), "inside");
}

// By its descriptor the machine's folder has the same name, and is another one.
TEST_F(MountsFiles, TheMachinesFolderIsNoWayIn) {
  const Fd machines(::open(at("own").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  OpenRequest request;
  request.place = place_at(machines.get(), "machines");
  request.flags = O_RDONLY;
  EXPECT_EQ(open(request).error, 0);  // positive control
  mount();
  EXPECT_EQ(open(request).error, EACCES);
}

}  // namespace
}  // namespace torno::files
