// /proc/self/fd/N and its likes: the client's own descriptors.
#include <sys/mman.h>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class SelfFd : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("allowed");
    write("allowed/file", "open");
    write("secret", "secret");
    allow(R"(file { path: "$D/allowed/**" allow: [READ, WRITE] })");
  }

  static constexpr const char* kPath = "/proc/self/fd/3";

  Outcome open_fd(int fd, std::uint64_t flags = O_RDONLY, std::uint64_t resolve = 0) {
    return open({.place = place_of(fd, kPath), .flags = flags, .resolve = resolve});
  }
};

TEST_F(SelfFd, FileIsOpenedAnew) {
  const Fd fd(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::lseek(fd.get(), 2, SEEK_SET), 2);
  const Outcome outcome = open_fd(fd.get(), O_RDWR);
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(::lseek(outcome.fd.get(), 0, SEEK_CUR), 0) << "a description of its own";
  EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFL) & O_ACCMODE, O_RDWR);
}

TEST_F(SelfFd, DescriptorGrantsNoMoreThanThePolicy) {
  // The control: following the link by itself turns an O_PATH descriptor into an open file.
  const Fd pin(::open(at("secret").c_str(), O_PATH | O_CLOEXEC));
  ASSERT_EQ(contents("/proc/self/fd/" + std::to_string(pin.get())), "secret");
  EXPECT_TRUE(is_denied(open_fd(pin.get()), at("secret")));

  allow(R"(file { path: "$D/allowed/**" allow: READ })");
  const Fd reader(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(open_fd(reader.get()).error, 0);
  EXPECT_TRUE(is_denied(open_fd(reader.get(), O_RDWR), at("allowed/file")));
  EXPECT_TRUE(is_denied(open_fd(reader.get(), O_RDONLY | O_TRUNC), at("allowed/file")));
  EXPECT_EQ(contents(at("allowed/file")), "open");
}

TEST_F(SelfFd, AnotherFileAtTheSameNameIsNotOpened) {
  const Fd fd(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::link(at("allowed/file").c_str(), at("kept").c_str()), 0);
  ASSERT_EQ(::rename(at("secret").c_str(), at("allowed/file").c_str()), 0);
  // The kernel calls it "… (deleted)", or by the old name: either way there is nothing to open.
  EXPECT_NE(open_fd(fd.get()).error, 0);
}

TEST_F(SelfFd, MovedFileIsJudgedWhereItIs) {
  const Fd fd(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::rename(at("allowed/file").c_str(), at("moved").c_str()), 0);
  EXPECT_TRUE(is_denied(open_fd(fd.get()), at("moved")));
}

TEST_F(SelfFd, PipeComesBackWithinItsOwnAccess) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  EXPECT_EQ(open_fd(reader.get(), O_RDONLY).error, 0);
  EXPECT_EQ(open_fd(writer.get(), O_WRONLY | O_CREAT | O_TRUNC).error, 0);
  EXPECT_EQ(open_fd(reader.get(), O_WRONLY).error, EACCES);
  EXPECT_EQ(open_fd(reader.get(), O_RDWR).error, EACCES);
  EXPECT_EQ(open_fd(writer.get(), O_RDONLY).error, EACCES);
  EXPECT_EQ(open_fd(reader.get(), O_RDONLY | O_DIRECTORY).error, ENOTDIR);
}

TEST_F(SelfFd, DeletedFileAndMemfdComeBack) {
  const Fd memfd(::memfd_create("x", MFD_CLOEXEC));
  ASSERT_EQ(::write(memfd.get(), "1234", 4), 4);
  EXPECT_EQ(open_fd(memfd.get(), O_RDWR).error, 0);
  EXPECT_EQ(contents(memfd.get()), "1234");
  EXPECT_EQ(open_fd(memfd.get(), O_WRONLY | O_TRUNC).error, 0);
  EXPECT_EQ(contents(memfd.get()), "");

  const Fd deleted(::open(at("secret").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::unlink(at("secret").c_str()), 0);
  EXPECT_EQ(open_fd(deleted.get()).error, 0);
  EXPECT_EQ(open_fd(deleted.get(), O_RDONLY | O_TRUNC).error, EACCES);
  const Fd pin(::open(at("allowed/file").c_str(), O_PATH | O_CLOEXEC));
  ASSERT_EQ(::unlink(at("allowed/file").c_str()), 0);
  EXPECT_EQ(open_fd(pin.get()).error, EACCES) << "O_PATH is no access to the contents";
}

TEST_F(SelfFd, FlagsAboutTheLinkItself) {
  const Fd fd(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(open_fd(fd.get(), O_RDONLY | O_NOFOLLOW).error, ELOOP);
  EXPECT_EQ(open_fd(fd.get(), O_RDWR | O_CREAT | O_EXCL).error, EEXIST);
  EXPECT_EQ(open_fd(fd.get(), O_RDONLY, 2).error, ELOOP);
  EXPECT_EQ(open_fd(fd.get(), O_RDONLY, 4).error, ELOOP);
  EXPECT_EQ(open_fd(fd.get(), O_RDONLY, 8).error, EXDEV);
}

TEST_F(SelfFd, ClosedDescriptorIsEbadf) {
  EXPECT_EQ(open_fd(-1).error, EBADF);
  EXPECT_EQ(stat({.place = place_of(-1, kPath), .mask = STATX_INO}).error, EBADF);
  EXPECT_EQ(readlink({.place = place_of(-1, kPath), .size = 100}).error, EBADF);
}

TEST_F(SelfFd, StatAndAccessAreOfWhatTheClientHolds) {
  const Fd fd(::open(at("secret").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat held{};
  ASSERT_EQ(::fstat(fd.get(), &held), 0);
  const Outcome followed = stat({.place = place_of(fd.get(), kPath), .mask = STATX_BASIC_STATS});
  EXPECT_EQ(followed.stat.stx_ino, held.st_ino);
  const Outcome link = stat({.place = place_of(fd.get(), kPath),
                             .flags = AT_SYMLINK_NOFOLLOW,
                             .mask = STATX_BASIC_STATS});
  EXPECT_TRUE(S_ISLNK(link.stat.stx_mode));
  EXPECT_EQ(access({.place = place_of(fd.get(), kPath), .mode = R_OK}).error, 0);
}

TEST_F(SelfFd, ReadlinkTellsTheNameWhereItMayBeSeen) {
  const Fd file(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(readlink({.place = place_of(file.get(), kPath), .size = 4096}).target,
            at("allowed/file"));
  const Fd secret(::open(at("secret").c_str(), O_RDONLY | O_CLOEXEC));
  const Outcome hidden = readlink({.place = place_of(secret.get(), kPath), .size = 4096});
  EXPECT_TRUE(is_denied(hidden, at("secret")));
  EXPECT_EQ(hidden.target, "");

  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  EXPECT_TRUE(readlink({.place = place_of(reader.get(), kPath), .size = 4096})
                  .target.starts_with("pipe:["));
  const Fd memfd(::memfd_create("x", MFD_CLOEXEC));
  EXPECT_EQ(readlink({.place = place_of(memfd.get(), kPath), .size = 4096}).target,
            "/memfd:x (deleted)");
}

TEST_F(SelfFd, StdinIsALinkLikeAnyOther) {
  const Fd fd(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  const ReadlinkRequest request{.place = place_of(fd.get(), "/dev/stdin"), .size = 4096};
  EXPECT_TRUE(is_denied(readlink(request), "/dev/stdin"));
  EXPECT_EQ(open({.place = place_of(fd.get(), "/dev/stdin")}).error, 0);
  if (::access("/dev/stdin", F_OK) != 0) GTEST_SKIP() << "there is no /dev/stdin";
  allow(R"(file { path: "/dev/*" allow: STAT })");
  EXPECT_EQ(readlink(request).target, "/proc/self/fd/0");
}

}  // namespace
}  // namespace torno::files
