// A client in another mount namespace: a directory descriptor whose name lies.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <climits>
#include <string>

#include "tests/attack/scene.h"
#include "tests/support/mount_namespace.h"
#include "tests/support/processes.h"

namespace torno::test {
namespace {

// In a namespace of its own the worker binds the secret folder over an allowed name, so that
// /proc/self/fd of a descriptor there reads as the allowed one. The secret is then asked for
// as a file of that directory. (What the worker can read by itself before its seal is its own
// affair; the broker must not be made to believe the name.)
TEST(AttackMountNamespace, BindMountOverAnAllowedName) {
  if (!root_is_a_mount()) GTEST_SKIP() << "in a chroot whose root is no mount";
  const Scene scene;
  const std::string secret = scene.path("secret");
  const std::string sub = scene.path("allowed/sub");
  int directory = -1;
  const Attack before = [&] {
    if (!enter_mount_namespace()) return false;
    if (::mount(secret.c_str(), sub.c_str(), nullptr, MS_BIND, nullptr) != 0) return false;
    directory = ::open(sub.c_str(), O_RDONLY | O_DIRECTORY);
    char name[PATH_MAX] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(directory);
    return directory >= 0 && ::readlink(link.c_str(), name, sizeof name - 1) > 0 && name == sub;
  };
  const Attack attack = [&] {
    return reads_secret(::openat(directory, "key", O_RDONLY)) || reads_secret(sub + "/key");
  };
  EXPECT_EQ(scene.free([&] { return before() && attack(); }), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack, before), Ended::kRefused);
}

}  // namespace
}  // namespace torno::test
