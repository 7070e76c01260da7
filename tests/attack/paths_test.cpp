// Ways to name a forbidden file by an allowed name.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/attack/scene.h"

namespace torno::test {
namespace {

// An attack that opens one path and finds the secret behind it.
void expect_path_is_refused(const Scene& scene, const std::string& path) {
  const Attack attack = [path] { return reads_secret(path); };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded) << path;
  EXPECT_EQ(scene.inside(attack), Ended::kRefused) << path;
}

TEST(AttackPaths, TheSandboxIsNotJustBroken) {
  const Scene scene;
  const std::string path = scene.path("allowed/public");
  EXPECT_EQ(scene.inside([path] { return ::access(path.c_str(), R_OK) == 0; }), Ended::kSucceeded);
}

TEST(AttackPaths, Named) {
  const Scene scene;
  expect_path_is_refused(scene, scene.path("secret/key"));
}

TEST(AttackPaths, DotDot) {
  const Scene scene;
  expect_path_is_refused(scene, scene.path("allowed/../secret/key"));
  expect_path_is_refused(scene, scene.path("allowed/sub/../../secret/key"));
  expect_path_is_refused(scene, scene.path("allowed/./sub//..///../secret/./key"));
}

TEST(AttackPaths, SymlinkFinal) {
  const Scene scene;
  expect_path_is_refused(scene, scene.path("allowed/link"));
}

TEST(AttackPaths, SymlinkIntermediate) {
  const Scene scene;
  expect_path_is_refused(scene, scene.path("allowed/dirlink/key"));
  expect_path_is_refused(scene, scene.path("allowed/dirlink/../secret/key"));
}

TEST(AttackPaths, SymlinkChain) {
  const Scene scene;
  expect_path_is_refused(scene, scene.path("allowed/chain1"));
}

TEST(AttackPaths, SymlinkAbsolute) {
  const Scene scene;
  ASSERT_TRUE(Scene::prepare([&] {
    return ::symlink(scene.path("secret").c_str(), scene.path("allowed/absolute").c_str()) == 0;
  }));
  expect_path_is_refused(scene, scene.path("allowed/absolute/key"));
}

TEST(AttackPaths, SiblingPrefix) {
  const Scene scene;
  expect_path_is_refused(scene, scene.path("allowed2/key"));
}

TEST(AttackPaths, RelativeToDirectoryFd) {
  const Scene scene;
  const std::string allowed = scene.path("allowed");
  const Attack attack = [allowed] {
    const int directory = ::open(allowed.c_str(), O_RDONLY | O_DIRECTORY);
    if (directory < 0) return false;
    return reads_secret(::openat(directory, "../secret/key", O_RDONLY)) ||
           reads_secret(::openat(directory, "link", O_RDONLY));
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackPaths, RelativeToWorkingDirectory) {
  const Scene scene;
  const std::string allowed = scene.path("allowed");
  const Attack enter = [allowed] { return ::chdir(allowed.c_str()) == 0; };
  const Attack attack = [] { return reads_secret("../secret/key") || reads_secret("link"); };
  EXPECT_EQ(scene.free([&] { return enter() && attack(); }), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack, enter), Ended::kRefused);
}

TEST(AttackPaths, TruncatingOpenOfAReadOnlyFile) {
  const Scene scene;
  const std::string path = scene.path("allowed/public");
  const Attack attack = [path] {
    const int fd = ::open(path.c_str(), O_RDONLY | O_TRUNC);
    struct stat st{};
    return fd >= 0 && ::fstat(fd, &st) == 0 && st.st_size == 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  scene.restore();
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
  struct stat st{};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(static_cast<std::size_t>(st.st_size), sizeof kPublic - 1);
}

TEST(AttackPaths, WritingAndCreatingWhereOnlyReadingIsAllowed) {
  const Scene scene;
  const std::string file = scene.path("allowed/public");
  const std::string fresh = scene.path("allowed/fresh");
  const Attack attack = [=] {
    return ::open(file.c_str(), O_WRONLY) >= 0 || ::open(file.c_str(), O_RDWR) >= 0 ||
           ::open(fresh.c_str(), O_WRONLY | O_CREAT, 0644) >= 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  scene.restore();
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
  EXPECT_NE(::access(fresh.c_str(), F_OK), 0);
}

TEST(AttackPaths, ErrnoDoesNotTellWhatExists) {
  const Scene scene;
  const std::string here = scene.path("secret/key");
  const std::string not_here = scene.path("secret/nothing");
  const Attack attack = [=] {
    struct stat st{};
    char target[8];
    const auto error = [](long result) { return result >= 0 ? 0 : errno; };
    return error(::open(here.c_str(), O_RDONLY)) != error(::open(not_here.c_str(), O_RDONLY)) ||
           error(::stat(here.c_str(), &st)) != error(::stat(not_here.c_str(), &st)) ||
           error(::access(here.c_str(), F_OK)) != error(::access(not_here.c_str(), F_OK)) ||
           error(::readlink(here.c_str(), target, sizeof target)) !=
               error(::readlink(not_here.c_str(), target, sizeof target));
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

}  // namespace
}  // namespace torno::test
