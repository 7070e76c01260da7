// openat2's `resolve`, against the kernel's own answers.
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class ResolveFlags : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("base/deep");
    write("base/file");
    write("base/deep/file");
    write("outside");
    link("file", "base/link");
    link("deep", "base/to_deep");
    link("../outside", "base/out");
    link(at("base/file"), "base/absolute");
    link("/file", "base/from_root");
    link("deep/../file", "base/winding");
    allow(R"(file { path: "/**" allow: READ })");
  }

  static int kernel(int directory, const char* path, std::uint64_t resolve) {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    how.resolve = resolve;
    // EAGAIN: a rename or mount anywhere on the system came between; openat2(2) says to repeat.
    for (;;) {
      const Fd fd(static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how)));
      if (fd || errno != EAGAIN) return fd ? 0 : errno;
    }
  }
};

TEST_F(ResolveFlags, MeanWhatTheyMeanToTheKernel) {
  const Fd base(::open(at("base").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string absolute = at("base/file");
  const char* paths[] = {"file",          "deep/file",
                         "deep/../file",  "link",
                         "to_deep/file",  "out",
                         "../base/file",  "..",
                         "absolute",      "from_root",
                         "winding",       "/file",
                         "missing",       "deep/../../base/file",
                         "../file",       "../../../file",
                         "link/",         "to_deep/",
                         absolute.c_str()};
  const std::uint64_t flags[] = {0,
                                 RESOLVE_NO_SYMLINKS,
                                 RESOLVE_NO_MAGICLINKS,
                                 RESOLVE_BENEATH,
                                 RESOLVE_IN_ROOT,
                                 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
                                 RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS};
  for (const std::uint64_t resolve : flags) {
    for (const char* path : paths) {
      const OpenRequest request{.place = place_at(base.get(), path), .resolve = resolve};
      EXPECT_EQ(open(request).error, kernel(base.get(), path, resolve))
          << path << " resolve " << resolve;
    }
  }
}

TEST_F(ResolveFlags, ScopeGrantsNothing) {
  allow(R"(file { path: "$D/base/deep/**" allow: READ })");
  const Fd base(::open(at("base").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const auto resolve : {std::uint64_t{RESOLVE_IN_ROOT}, std::uint64_t{RESOLVE_BENEATH}}) {
    EXPECT_TRUE(is_denied(open({.place = place_at(base.get(), "file"), .resolve = resolve})));
    EXPECT_EQ(open({.place = place_at(base.get(), "deep/file"), .resolve = resolve}).error, 0);
  }
}

TEST_F(ResolveFlags, CwdIsADirectoryToo) {
  const OpenRequest in_root{.place = place_in(at("base"), "/file"), .resolve = RESOLVE_IN_ROOT};
  EXPECT_EQ(open(in_root).error, 0);
  const OpenRequest beneath{.place = place_in(at("base"), "../outside"),
                            .resolve = RESOLVE_BENEATH};
  EXPECT_EQ(open(beneath).error, EXDEV);
}

TEST_F(ResolveFlags, CachedNeverWaits) {
  ASSERT_EQ(open(at("base/file")).error, 0);
  const int error = open(at("base/file"), O_RDONLY, 0, RESOLVE_CACHED).error;
  EXPECT_TRUE(error == 0 || error == EAGAIN) << error;
  EXPECT_EQ(open(at("base/new"), O_WRONLY | O_CREAT, 0600, RESOLVE_CACHED).error, EAGAIN);
  EXPECT_EQ(open(at("base/file"), O_WRONLY | O_TRUNC, 0, RESOLVE_CACHED).error, EAGAIN);
}

TEST_F(ResolveFlags, WhatCannotBeHadExactlyIsRefused) {
  EXPECT_EQ(open(at("base/file"), O_RDONLY, 0, RESOLVE_NO_XDEV).error, EINVAL);
  EXPECT_EQ(open(at("base/file"), O_RDONLY, 0, 1ULL << 20).error, EINVAL);
  EXPECT_EQ(open(at("base/file"), O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT).error, EINVAL);
  EXPECT_EQ(open(at("base/file"), O_RDONLY, 0, RESOLVE_IN_ROOT).error, EINVAL)
      << "the directory is not known";
}

}  // namespace
}  // namespace torno::files
