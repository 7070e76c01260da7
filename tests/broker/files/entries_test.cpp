// Making, removing, renaming and changing: what the policy refuses, what errno tells, and what is
// kept whatever a policy says. That the rest is the kernel's: tests/broker/notify/entries_test.cpp.
#include <stdio.h>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Entries : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    for (const char* name : {"work/sub", "seen", "hidden", "drop"}) make_directory(name);
    for (const char* name : {"work/file", "seen/file", "hidden/file", "drop/file"}) write(name);
    allow(R"(file { path: "$D/work/**" allow: [READ, WRITE, CREATE] }
             file { path: "$D/seen/**" allow: READ }
             file { path: "$D/drop/**" allow: CREATE })");
  }

  Outcome mkdir(const std::string& path) const {
    return files_->mkdir(policy_, {path_of(path), 0755}, Wait::kMayBlock);
  }
  Outcome remove(const std::string& path, bool directory = false) const {
    return files_->remove(policy_, {path_of(path), directory}, Wait::kMayBlock);
  }
  Outcome rename(const std::string& from, const std::string& to, std::uint32_t flags = 0) const {
    return files_->rename(policy_, {path_of(from), path_of(to), flags}, Wait::kMayBlock);
  }
  Outcome link_to(const std::string& from, const std::string& to) const {
    return files_->link(policy_, {path_of(from), path_of(to), 0}, Wait::kMayBlock);
  }
  Outcome symlink(const std::string& text, const std::string& path) const {
    return files_->symlink(policy_, {text, path_of(path)}, Wait::kMayBlock);
  }
  Outcome chmod(const std::string& path, std::uint32_t mode) const {
    return files_->chmod(policy_, {path_of(path), mode, 0}, Wait::kMayBlock);
  }
  Outcome chmod_fd(int fd, std::uint32_t mode) const {
    Place place = path_of("");
    place.base = Place::Base::kFd;
    place.fd = fd;
    return files_->chmod(policy_, {place, mode, AT_EMPTY_PATH}, Wait::kMayBlock);
  }
  mode_t mode_of(const std::string& name) const {
    struct stat status{};
    return ::lstat(at(name).c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }
  bool exists(const std::string& name) const {
    struct stat status{};
    return ::lstat(at(name).c_str(), &status) == 0;
  }

 private:
  static Place path_of(const std::string& path) {
    return {.base = Place::Base::kAbsolute, .path = path, .cwd = {}, .fd = -1, .client = getpid()};
  }
};

TEST_F(Entries, NeedCreate) {
  EXPECT_EQ(mkdir(at("work/new")).error, 0);
  EXPECT_EQ(rename(at("work/file"), at("work/new/file")).error, 0);
  EXPECT_EQ(remove(at("work/new/file")).error, 0);
  EXPECT_EQ(remove(at("work/new"), true).error, 0);
  EXPECT_TRUE(is_denied(mkdir(at("seen/new")), at("seen/new")));
  EXPECT_TRUE(is_denied(remove(at("seen/file")), at("seen/file")));
  EXPECT_TRUE(is_denied(rename(at("seen/file"), at("work/got")), at("seen/file")));
  EXPECT_TRUE(is_denied(rename(at("work/sub"), at("seen/got")), at("seen/got")));
  EXPECT_TRUE(is_denied(symlink("text", at("seen/new")), at("seen/new")));
  EXPECT_TRUE(exists("seen/file"));
  EXPECT_FALSE(exists("seen/new"));
}

TEST_F(Entries, WhatIsSeenIsAnsweredAsTheKernelDoes) {
  EXPECT_EQ(mkdir(at("seen/file")).error, EEXIST);
  EXPECT_EQ(mkdir(at("seen")).error, EEXIST);
  EXPECT_EQ(mkdir(folder_.path()).error, EEXIST) << "a directory on the way, for mkdir -p";
  EXPECT_EQ(remove(at("seen/missing")).error, ENOENT);
  EXPECT_EQ(remove(at("seen/missing/deeper")).error, ENOENT);
  EXPECT_EQ(rename(at("work/missing"), at("seen/new")).error, ENOENT);
}

TEST_F(Entries, WhatIsHiddenAnswersAlike) {
  for (const char* name : {"hidden/file", "hidden/missing", "hidden/missing/deeper",
                           "hidden/file/deeper", "missing/file", "hidden/", "missing/"}) {
    for (const Outcome& outcome :
         {mkdir(at(name)), remove(at(name)), remove(at(name), true),
          rename(at(name), at("work/got")), rename(at("work/file"), at(name)),
          link_to(at(name), at("work/got")), link_to(at("work/file"), at(name)),
          symlink("text", at(name)), chmod(at(name), 0600)}) {
      EXPECT_TRUE(is_denied(outcome)) << name;
    }
  }
}

TEST_F(Entries, RightsAreNotMoved) {
  for (const auto& outcome :
       {rename(at("drop/file"), at("work/got")), link_to(at("drop/file"), at("work/got")),
        rename(at("drop/file"), at("work/file"), RENAME_EXCHANGE),
        rename(at("work/file"), at("drop/file"), RENAME_EXCHANGE)}) {
    EXPECT_EQ(outcome.error, EXDEV);
    EXPECT_TRUE(outcome.denial);
  }
  EXPECT_TRUE(exists("drop/file"));
  EXPECT_EQ(rename(at("work/file"), at("drop/new")).error, 0) << "where it loses some";
}

TEST_F(Entries, DirectoriesMoveWhereAllBeneathIsAlike) {
  EXPECT_EQ(rename(at("work/sub"), at("work/other")).error, 0);
  EXPECT_EQ(rename(at("work/other"), at("drop/other")).error, EXDEV);
  allow(R"(file { path: "$D/work/**" allow: [READ, WRITE, CREATE] }
           file { path: "$D/work/other/key" deny: READ })");
  EXPECT_EQ(rename(at("work/other"), at("work/sub")).error, EXDEV);
  make_directory("work/third");
  EXPECT_EQ(rename(at("work/third"), at("work/other")).error, EXDEV) << "either way";
}

TEST_F(Entries, TheBrokersOwnIsKept) {
  make_directory("work/way/policies");
  write("work/way/socket");
  protect({at("work/way/policies"), at("work/way/socket"), at("work/none/later/policies")});
  EXPECT_TRUE(is_denied(remove(at("work/way/socket"))));
  EXPECT_TRUE(is_denied(remove(at("work/way/policies"), true)));
  EXPECT_TRUE(is_denied(rename(at("work/way/policies"), at("work/got"))));
  EXPECT_TRUE(is_denied(rename(at("work/way"), at("work/got"))));
  EXPECT_TRUE(is_denied(rename(at("work/sub"), at("work/way"))));
  EXPECT_TRUE(is_denied(rename(at("work/sub"), at("work/way"), RENAME_EXCHANGE)));
  EXPECT_TRUE(is_denied(rename(at("work/way"), at("work/sub"), RENAME_EXCHANGE)));
  EXPECT_TRUE(is_denied(link_to(at("work/way/socket"), at("work/got"))));
  EXPECT_TRUE(is_denied(chmod(at("work/way"), 0777)));
  ASSERT_EQ(::link(at("work/way/socket").c_str(), at("work/alias").c_str()), 0);
  EXPECT_TRUE(is_denied(remove(at("work/alias"))));
}

TEST_F(Entries, NothingLeadsElsewhereOnTheWayToTheBrokersOwn) {
  protect({at("work/none/later/policies")});
  EXPECT_TRUE(is_denied(symlink("sub", at("work/none"))));
  EXPECT_TRUE(is_denied(rename(at("work/sub"), at("work/none"))));
  ASSERT_EQ(::symlink("sub", at("work/link").c_str()), 0);
  EXPECT_TRUE(is_denied(rename(at("work/link"), at("work/none"))));
  EXPECT_TRUE(is_denied(link_to(at("work/link"), at("work/none"))));
  EXPECT_EQ(mkdir(at("work/none")).error, 0) << "an empty directory leads nowhere";
  EXPECT_TRUE(is_denied(rename(at("work/none"), at("work/got"))));
  EXPECT_TRUE(is_denied(remove(at("work/none"), true)));
  EXPECT_EQ(mkdir(at("work/none/later")).error, 0);
  EXPECT_TRUE(is_denied(mkdir(at("work/none/later/policies"))));
}

TEST_F(Entries, ChangesNeedWrite) {
  EXPECT_EQ(chmod(at("work/file"), 0640).error, 0);
  EXPECT_EQ(mode_of("work/file"), 0640U);
  EXPECT_TRUE(is_denied(chmod(at("seen/file"), 0600), at("seen/file")));
  EXPECT_TRUE(is_denied(chmod(at("drop/file"), 0600), at("drop/file")));
}

TEST_F(Entries, PrivilegedBitsAreNeverSet) {
  for (const std::uint32_t bit : {04000U, 02000U, 01000U}) {
    EXPECT_EQ(chmod(at("work/file"), 0755 | bit).error, EPERM);
    EXPECT_EQ(chmod(at("work/sub"), 0755 | bit).error, EPERM);
  }
  ASSERT_EQ(::chmod(at("work/sub").c_str(), 03755), 0);
  if (mode_of("work/sub") != 03755U) GTEST_SKIP() << "the kernel takes them away";
  EXPECT_EQ(chmod(at("work/sub"), 03700).error, 0) << "a directory keeps those it has";
  EXPECT_EQ(mode_of("work/sub"), 03700U);
}

TEST_F(Entries, ADescriptorIsNoWayToChangeWhatItIsOf) {
  const Fd seen(::open(at("seen/file").c_str(), O_RDONLY | O_CLOEXEC));
  const Fd written(::open(at("seen/file").c_str(), O_WRONLY | O_CLOEXEC));
  const Fd mine(::open(at("work/file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(is_denied(chmod_fd(seen.get(), 0600), at("seen/file")));
  EXPECT_TRUE(is_denied(chmod_fd(written.get(), 0600), at("seen/file")));
  EXPECT_EQ(chmod_fd(mine.get(), 0600).error, 0);
  EXPECT_EQ(mode_of("work/file"), 0600U);
}

TEST_F(Entries, WhatHasNoPathIsChangedByWhoeverMayWriteIt) {
  const Fd written(::open(at("work/file").c_str(), O_RDWR | O_CLOEXEC));
  const Fd seen(::open(at("work/file").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::unlink(at("work/file").c_str()), 0);
  EXPECT_EQ(chmod_fd(seen.get(), 0600).error, EACCES);
  EXPECT_EQ(chmod_fd(written.get(), 0640).error, 0);
  EXPECT_EQ(chmod_fd(written.get(), 0750).error, EPERM) << "no rule about executing holds it";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  EXPECT_EQ(chmod_fd(reader.get(), 0600).error, EACCES);
  EXPECT_EQ(chmod_fd(writer.get(), 0600).error, 0);
}

TEST_F(Entries, AnIoThreadDoesNothingThatMayWait) {
  const std::string path = at("work/new");
  const Place place{.base = Place::Base::kAbsolute, .path = path, .cwd = {}, .client = getpid()};
  EXPECT_TRUE(files_->mkdir(policy_, {place, 0755}, Wait::kNever).would_block);
  EXPECT_FALSE(exists("work/new"));
}

}  // namespace
}  // namespace torno::files
