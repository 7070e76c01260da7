// The short way of open: taken for what was seen lately, and for nothing else.
#include "broker/files/open_known.h"

#include <sys/sysmacros.h>

#include <filesystem>

#include "broker/files/vet.h"
#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class OpenKnown : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    write("file", "text");
    write("other", "other");
    auto laid = Foundation::lay({});
    ASSERT_TRUE(laid) << laid.error().message;
    foundation_ = std::move(*laid);
    allow(R"(file { path: "$D/**" allow: [READ, WRITE] })");
    if (!foundation_->local.contains(mount_of(at("file")))) {
      GTEST_SKIP() << "the temporary folder is on no local file system";
    }
  }

  void TearDown() override {
    foundation_.reset();
    FilesFixture::TearDown();
  }

  static std::uint64_t mount_of(const std::string& path) {
    struct statx stat{};
    ::statx(AT_FDCWD, path.c_str(), 0, kIdentityMask, &stat);
    return stat.stx_mnt_id;
  }

  Target target(const std::string& path) const {
    Target target;
    target.path.append(path);
    return target;
  }

  // Looks at the path the long way, as an open or a stat before this one did.
  void see(const std::string& path, policy::Permissions wanted = policy::kRead) {
    const Place where = place(path);
    const Task task{*foundation_, policy_, where, Wait::kNever};
    Aim aim;
    aim.wanted = wanted;
    Pin pin;
    Outcome outcome;
    ASSERT_EQ(vet(task, aim, target(path), pin, outcome), Vetted::kPinned);
  }

  bool open_short(const std::string& path, std::uint64_t flags, Outcome& outcome,
                  Wait wait = Wait::kNever) {
    const OpenRequest request{.place = place(path), .flags = flags};
    const Task task{*foundation_, policy_, request.place, wait};
    Aim aim;
    aim.wanted = (flags & O_ACCMODE) == O_RDONLY ? policy::kRead : policy::kWrite;
    return open_known(task, aim, request, target(path), outcome);
  }
  bool open_short(const std::string& path, std::uint64_t flags = O_RDONLY) {
    Outcome outcome;
    return open_short(path, flags, outcome);
  }

  // Puts something else at the place of "file".
  void replace_by(const std::string& name) { std::filesystem::rename(at(name), at("file")); }

  std::optional<Foundation> foundation_;
};

TEST_F(OpenKnown, WhatWasSeen) {
  EXPECT_FALSE(open_short(at("file"))) << "not seen yet";
  see(at("file"));
  Outcome outcome;
  ASSERT_TRUE(open_short(at("file"), O_RDONLY, outcome));
  EXPECT_EQ(contents(outcome.fd.get()), "text");
  EXPECT_FALSE(open_short(at("other")));
}

TEST_F(OpenKnown, FlagsAreThoseAskedFor) {
  see(at("file"));
  see(at("file"), policy::kWrite);
  for (const int flags : {O_RDONLY, O_WRONLY | O_APPEND, O_RDWR | O_NONBLOCK, O_RDONLY | O_NOATIME,
                          O_WRONLY | O_SYNC}) {
    Outcome outcome;
    ASSERT_TRUE(open_short(at("file"), static_cast<std::uint64_t>(flags), outcome)) << flags;
    const Fd native(::open(at("file").c_str(), flags | O_CLOEXEC));
    EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFL), ::fcntl(native.get(), F_GETFL)) << flags;
    EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST_F(OpenKnown, NotForFlagsThatMakeOrCutOrOnlyName) {
  see(at("file"));
  see(at("file"), policy::kWrite);
  for (const int flags : {O_WRONLY | O_TRUNC, O_WRONLY | O_CREAT, O_PATH, O_RDWR | O_TMPFILE}) {
    EXPECT_FALSE(open_short(at("file"), static_cast<std::uint64_t>(flags))) << flags;
  }
}

TEST_F(OpenKnown, NotOnAThreadThatMayBeHeld) {
  see(at("file"));
  Outcome outcome;
  EXPECT_FALSE(open_short(at("file"), O_RDONLY, outcome, Wait::kMayBlock));
}

TEST_F(OpenKnown, WhatThePolicyWasNotSeenToAllow) {
  see(at("file"));
  EXPECT_FALSE(open_short(at("file"), O_WRONLY)) << "reading was allowed";
  see(at("file"), policy::kWrite);
  EXPECT_TRUE(open_short(at("file"), O_WRONLY));
  EXPECT_TRUE(open_short(at("file"), O_RDONLY)) << "still";
}

TEST_F(OpenKnown, AnotherPolicyDecidesForItself) {
  see(at("file"));
  ASSERT_TRUE(open_short(at("file")));
  allow(R"(file { path: "$D/other" allow: READ })");
  EXPECT_FALSE(open_short(at("file")));
}

TEST_F(OpenKnown, StackedPoliciesDecideEveryTime) {
  stack(R"(file { path: "$D/**" allow: READ })");
  see(at("file"));
  EXPECT_FALSE(open_short(at("file")));
}

TEST_F(OpenKnown, WhatCameInItsPlaceIsLookedAtFirst) {
  see(at("file"));
  replace_by("other");
  EXPECT_FALSE(open_short(at("file")));

  see(at("file"));
  link("other2", "link");
  replace_by("link");
  EXPECT_FALSE(open_short(at("file")));

  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0666), 0);
  replace_by("fifo");
  EXPECT_FALSE(open_short(at("file")));
  EXPECT_FALSE(open_short(at("file"), O_WRONLY));

  std::filesystem::remove(at("file"));
  EXPECT_FALSE(open_short(at("file")));
}

TEST_F(OpenKnown, DeviceIsNotGivenAway) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root makes devices";
  see(at("file"));
  if (::mknod(at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) {
    GTEST_SKIP() << "no devices may be made here";
  }
  replace_by("null");
  EXPECT_FALSE(open_short(at("file")));
  allow(R"(file { path: "$D/**" allow: READ })");
  EXPECT_TRUE(is_denied(open(at("file")), at("file")));
}

TEST_F(OpenKnown, LinkOnTheWayIsNotFollowed) {
  make_directory("allowed");
  make_directory("forbidden");
  write("allowed/x", "text");
  write("forbidden/x", "secret");
  allow(R"(file { path: "$D/allowed/**" allow: READ })");
  see(at("allowed/x"));
  ASSERT_TRUE(open_short(at("allowed/x")));
  std::filesystem::rename(at("allowed"), at("moved"));
  link("forbidden", "allowed");
  ASSERT_EQ(contents(at("allowed/x")), "secret") << "the control: the kernel follows it";
  EXPECT_FALSE(open_short(at("allowed/x")));
}

TEST_F(OpenKnown, DirectoriesToo) {
  make_directory("folder");
  see(at("folder"));
  EXPECT_TRUE(open_short(at("folder"), O_RDONLY | O_DIRECTORY));
  see(at("file"));
  EXPECT_FALSE(open_short(at("file"), O_RDONLY | O_DIRECTORY));
}

TEST_F(OpenKnown, FileWithALeaseHoldsNobodyUp) {
  see(at("file"));
  see(at("file"), policy::kWrite);
  const Fd holder(::open(at("file").c_str(), O_RDONLY | O_CLOEXEC));
  if (::fcntl(holder.get(), F_SETLEASE, F_RDLCK) != 0) GTEST_SKIP() << "no leases here";
  struct sigaction before{};
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;  // SIGIO tells the holder
  ASSERT_EQ(::sigaction(SIGIO, &ignore, &before), 0);
  EXPECT_FALSE(open_short(at("file"), O_WRONLY));
  ::fcntl(holder.get(), F_SETLEASE, F_UNLCK);
  EXPECT_TRUE(open_short(at("file"), O_WRONLY)) << "the control";
  ::sigaction(SIGIO, &before, nullptr);
}

}  // namespace
}  // namespace torno::files
