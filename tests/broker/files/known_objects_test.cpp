#include "broker/files/known_objects.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace torno::files {
namespace {

constexpr KnownObjects::Known kFile{{1, 2, S_IFREG}, false, 7, policy::kRead};

TEST(KnownObjectsTest, RemembersByPath) {
  const auto known = std::make_unique<KnownObjects>();
  EXPECT_FALSE(known->find("/a"));
  known->remember("/a", kFile);
  ASSERT_TRUE(known->find("/a"));
  EXPECT_EQ(known->find("/a")->object, kFile.object);
  EXPECT_FALSE(known->find("/b"));
  EXPECT_FALSE(known->find("/a/"));
}

TEST(KnownObjectsTest, PermissionsOfOnePolicyAddUp) {
  const auto known = std::make_unique<KnownObjects>();
  known->remember("/a", kFile);
  known->remember("/a", {kFile.object, false, 7, policy::kWrite});
  EXPECT_TRUE(known->find("/a")->allows(policy::kRead | policy::kWrite, 7));
  EXPECT_FALSE(known->find("/a")->allows(policy::kRead, 8));
  known->remember("/a", {kFile.object, false, 8, policy::kRead});
  EXPECT_TRUE(known->find("/a")->allows(policy::kRead, 8));
  EXPECT_FALSE(known->find("/a")->allows(policy::kWrite, 8));
  EXPECT_FALSE(known->find("/a")->allows(policy::kRead, 7));
}

// The policy may refuse another object at the path, by what it is.
TEST(KnownObjectsTest, PermissionsOfAnotherObjectDoNot) {
  KnownObjects::Identity other = kFile.object;
  ++other.inode;
  const auto known = std::make_unique<KnownObjects>();
  known->remember("/a", {kFile.object, false, 7, policy::kWrite});
  known->remember("/a", {other, false, 7, policy::kRead});
  EXPECT_TRUE(known->find("/a")->allows(policy::kRead, 7));
  EXPECT_FALSE(known->find("/a")->allows(policy::kWrite, 7));
}

TEST(KnownObjectsTest, NoPolicyAllowsNothing) {
  const auto known = std::make_unique<KnownObjects>();
  known->remember("/a", {kFile.object, false, 0, policy::kRead});
  EXPECT_FALSE(known->find("/a")->allows(policy::kRead, 0));
}

TEST(KnownObjectsTest, ALongPathIsNotKept) {
  const auto known = std::make_unique<KnownObjects>();
  const std::string longest = "/" + std::string(199, 'x');
  known->remember(longest, kFile);
  EXPECT_TRUE(known->find(longest));
  known->remember(longest + "x", kFile);
  EXPECT_FALSE(known->find(longest + "x"));
}

TEST(KnownObjectsTest, OnlyPlainFilesAndDirectories) {
  struct statx stat{};
  for (const mode_t type :
       std::initializer_list<mode_t>{S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK}) {
    stat.stx_mode = static_cast<std::uint16_t>(type | 0644);
    EXPECT_FALSE(KnownObjects::identity_of(stat)) << type;
  }
  for (const mode_t type : std::initializer_list<mode_t>{S_IFREG, S_IFDIR}) {
    stat.stx_mode = static_cast<std::uint16_t>(type | 0644);
    EXPECT_TRUE(KnownObjects::identity_of(stat)) << type;
  }
}

TEST(KnownObjectsTest, ManyThreads) {
  const auto known = std::make_unique<KnownObjects>();
  std::vector<std::thread> threads;
  for (ino_t thread = 1; thread <= 4; ++thread) {
    threads.emplace_back([&known, thread] {
      for (ino_t i = 0; i < 20000; ++i) {
        const std::string path = "/" + std::to_string(i % 1500);
        known->remember(path, {{thread, i % 1500, S_IFREG}, false, 7, policy::kRead});
        const auto found = known->find(path);
        // Whoever wrote it last: never half of one and half of another.
        if (found) {
          EXPECT_EQ(found->object.inode, i % 1500);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace torno::files
