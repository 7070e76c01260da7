#include "broker/files/local_mounts.h"

#include <gtest/gtest.h>

namespace torno::files {
namespace {

TEST(LocalMounts, ReadsTheTypeBehindTheOptionalFields) {
  EXPECT_EQ(local_mount_id("36 35 98:0 / / rw,noatime shared:1 master:2 - ext4 /dev/root rw"), 36U);
  EXPECT_EQ(local_mount_id("37 35 0:25 / /tmp rw - tmpfs tmpfs rw"), 37U);
}

TEST(LocalMounts, LeavesOutWhatAServerAnswers) {
  EXPECT_EQ(local_mount_id("40 35 0:50 / /mnt rw - fuse.sshfs host: rw"), 0U);
  EXPECT_EQ(local_mount_id("41 35 0:51 / /net rw shared:3 - nfs4 host:/ rw"), 0U);
  EXPECT_EQ(local_mount_id("42 35 0:52 / /x rw - fuseblk /dev/sdb rw"), 0U);
}

TEST(LocalMounts, LeavesOutProcfsWhoseFilesMayWaitForAnExec) {
  EXPECT_EQ(local_mount_id("43 35 0:5 / /proc rw - proc proc rw"), 0U);
}

TEST(LocalMounts, TakesNothingFromBrokenLines) {
  EXPECT_EQ(local_mount_id(""), 0U);
  EXPECT_EQ(local_mount_id("44 35 0:53 / /x rw"), 0U);
  EXPECT_EQ(local_mount_id("45 35 0:54 / /ext4 rw - "), 0U);
}

TEST(LocalMounts, ReadsThisSystems) {
  const auto mounts = LocalMounts::read();
  ASSERT_TRUE(mounts) << mounts.error().message;
  EXPECT_FALSE(mounts->contains(0));
}

}  // namespace
}  // namespace torno::files
