#include "broker/files/local_mounts.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <functional>
#include <optional>

#include "tests/broker/files/files_fixture.h"
#include "tests/support/mount_namespace.h"

namespace torno::files {
namespace {

class OverlayTest : public FilesFixture {
 protected:
  // Runs in a process that may mount, with an overlay at "merged" of "lower", and a tmpfs at
  // "plain". Nothing: this user cannot have such a process.
  std::optional<bool> with_overlay(const std::function<bool()>& test) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(!mount_overlay() ? kCannot : test() ? 0 : 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kCannot) return std::nullopt;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  // Would the io thread be held by opening it?
  static bool waits(const Files& files, const policy::PolicyStack& policy, const Place& place,
                    std::uint64_t flags) {
    return files.open(policy, {.place = place, .flags = flags}, Wait::kNever).would_block;
  }

 private:
  static constexpr int kCannot = 77;

  bool mount_overlay() {
    if (!test::enter_mount_namespace()) return false;
    if (::mount("none", folder_.path().c_str(), "tmpfs", 0, nullptr) != 0) return false;
    for (const char* name : {"lower", "upper", "work", "merged", "plain"}) make_directory(name);
    write("lower/file");
    write("plain/file");
    const std::string layers =
        "lowerdir=" + at("lower") + ",upperdir=" + at("upper") + ",workdir=" + at("work");
    return ::mount("none", at("merged").c_str(), "overlay", 0, layers.c_str()) == 0;
  }
};

// It would copy the whole file first.
TEST_F(OverlayTest, AnOpenForWritingIsLeftToAThreadThatMayBeHeld) {
  allow(R"(file { path: "$D/**" allow: [READ, WRITE] })");
  const auto passed = with_overlay([this] {
    auto files = Files::create({});
    if (!files) return false;
    const auto waits_for = [&](const std::string& name, std::uint64_t flags) {
      return waits(*files, policy_, place(at(name)), flags);
    };
    // Once, so that the kernel has what it would have to ask the layers for.
    bool right = files->open(policy_, {.place = place(at("merged/file"))}, Wait::kMayBlock).fd &&
                 files->open(policy_, {.place = place(at("plain/file"))}, Wait::kMayBlock).fd;
    for (int round = 0; round < 2; ++round) {  // the second by open_known()
      right = right && !waits_for("merged/file", O_RDONLY);
      right = right && waits_for("merged/file", O_WRONLY);
      right = right && waits_for("merged/file", O_RDWR);
      right = right && !waits_for("plain/file", O_RDWR);  // positive control
    }
    const OpenRequest writes{.place = place(at("merged/file")), .flags = O_RDWR};
    return right && files->open(policy_, writes, Wait::kMayBlock).fd;
  });
  if (!passed) GTEST_SKIP() << "this user cannot mount an overlay";
  EXPECT_TRUE(*passed);
}

TEST(LocalMounts, ReadsTheTypeBehindTheOptionalFields) {
  EXPECT_EQ(local_mount("36 35 98:0 / / rw,noatime shared:1 master:2 - ext4 /dev/root rw").id, 36U);
  EXPECT_EQ(local_mount("37 35 0:25 / /tmp rw - tmpfs tmpfs rw").id, 37U);
}

TEST(LocalMounts, KnowsOverlays) {
  EXPECT_TRUE(local_mount("38 35 0:26 / / rw - overlay overlay rw,lowerdir=/a").overlay);
  EXPECT_FALSE(local_mount("37 35 0:25 / /tmp rw - tmpfs tmpfs rw").overlay);
}

TEST(LocalMounts, LeavesOutWhatAServerAnswers) {
  EXPECT_EQ(local_mount("40 35 0:50 / /mnt rw - fuse.sshfs host: rw").id, 0U);
  EXPECT_EQ(local_mount("41 35 0:51 / /net rw shared:3 - nfs4 host:/ rw").id, 0U);
  EXPECT_EQ(local_mount("42 35 0:52 / /x rw - fuseblk /dev/sdb rw").id, 0U);
}

TEST(LocalMounts, LeavesOutProcfsWhoseFilesMayWaitForAnExec) {
  EXPECT_EQ(local_mount("43 35 0:5 / /proc rw - proc proc rw").id, 0U);
}

TEST(LocalMounts, TakesNothingFromBrokenLines) {
  EXPECT_EQ(local_mount("").id, 0U);
  EXPECT_EQ(local_mount("44 35 0:53 / /x rw").id, 0U);
  EXPECT_EQ(local_mount("45 35 0:54 / /ext4 rw - ").id, 0U);
}

TEST(LocalMounts, ReadsThisSystems) {
  const auto mounts = LocalMounts::read();
  ASSERT_TRUE(mounts) << mounts.error().message;
  EXPECT_FALSE(mounts->contains(0));
}

}  // namespace
}  // namespace torno::files
