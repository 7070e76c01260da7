// Where a path leads.
#include "cli/canonical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

class CanonicalPath : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(at("a/b"));
    directory_.write("a/b/file", "x");
    link("a/b", "relative");
    link(at("a"), "absolute");
    link("relative/../b/file", "chain");
    link("loop", "loop");
    link("missing", "dangling");
  }
  void link(const std::string& target, const std::string& name) const {
    ASSERT_EQ(symlink(target.c_str(), at(name).c_str()), 0);
  }
  std::string at(const std::string& name) const { return directory_.path(name); }
  std::string follow(const std::string& name) const {
    const Result<Canonical> place = canonicalise(at(name), true);
    return place ? place->path : place.error().message;
  }

  TemporaryDirectory directory_;
};

TEST_F(CanonicalPath, AgreesWithRealpath) {
  for (const char* name :
       {"a/b/file", "relative/file", "absolute/b/file", "chain", "a/./b//file", "a/b/../b/file",
        "relative/..", "absolute/", "../../../../../../../.."}) {
    EXPECT_EQ(follow(name), std::filesystem::canonical(at(name)).string()) << name;
  }
}

TEST_F(CanonicalPath, NamesWhatItPassed) {
  const Result<Canonical> place = canonicalise(at("chain"), true);
  ASSERT_TRUE(place);
  EXPECT_TRUE(place->walked);
  for (const char* name : {"chain", "relative", "a", "a/b"}) {
    EXPECT_THAT(place->passed, testing::Contains(at(name)));
  }
  EXPECT_THAT(place->passed, testing::Not(testing::Contains(at("a/b/file"))));
  EXPECT_EQ(place->type, static_cast<mode_t>(S_IFREG));
  EXPECT_EQ(place->error, 0);
}

TEST_F(CanonicalPath, KnowsWhenTextAloneCannotTell) {
  EXPECT_FALSE(canonicalise(at("a/./b//file"), true)->walked);
  EXPECT_TRUE(canonicalise(at("a/../a/b/file"), true)->walked);
  EXPECT_TRUE(canonicalise(at("absolute/b/file"), true)->walked);
  EXPECT_TRUE(canonicalise("/proc/uptime", true)->walked);
}

TEST_F(CanonicalPath, ALastLinkStaysOnRequest) {
  const Result<Canonical> place = canonicalise(at("absolute"), false);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->path, at("absolute"));
  EXPECT_EQ(place->type, static_cast<mode_t>(S_IFLNK));
  EXPECT_EQ(canonicalise(at("absolute/"), false)->path, at("a"));
}

TEST_F(CanonicalPath, TheMissingKeepsItsName) {
  const Result<Canonical> place = canonicalise(at("dangling/x/y"), true);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->path, at("missing/x/y"));
  EXPECT_EQ(place->error, ENOENT);
  EXPECT_EQ(canonicalise(at("a/b/file/x"), true)->error, ENOTDIR);
}

TEST_F(CanonicalPath, RefusesWhatCannotBeTold) {
  EXPECT_FALSE(canonicalise("", true));
  EXPECT_FALSE(canonicalise(at("loop"), true));
  EXPECT_FALSE(canonicalise(at("missing/../a"), true));
  EXPECT_FALSE(canonicalise(at("a/b/file/.."), true));
  EXPECT_FALSE(canonicalise("/proc/self/root/etc", true));
  EXPECT_FALSE(canonicalise("/dev/fd/0", true));
}

// Policies speak of /proc/self, whatever the number is, and of no other process.
TEST_F(CanonicalPath, ProcSelfIsTheAskingProcess) {
  for (const std::string& name :
       {std::string("self"), std::string("thread-self"), std::to_string(getpid())}) {
    EXPECT_EQ(canonicalise("/proc/" + name + "/status", true)->path, "/proc/self/status");
  }
  EXPECT_EQ(canonicalise("/proc/mounts", true)->path, "/proc/self/mounts");
  EXPECT_EQ(canonicalise("/proc/1/root/etc", true)->path, "/proc/1/root/etc");
}

}  // namespace
}  // namespace torno::cli
