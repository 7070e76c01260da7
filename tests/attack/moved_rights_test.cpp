// Rights cannot be moved: no new name gives a file permissions that it did not have, and no
// descriptor that was opened for reading changes what it is of.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "tests/attack/scene.h"

namespace torno::test {
namespace {

// "drop": names may be made and moved, nothing read. "tree": one folder in it is hidden. "src":
// what is directly in it may be read, what is deeper not.
constexpr const char* kRules = R"(
include: "base"
file { path: "$ROOT/allowed/**" allow: READ }
file { path: "$ROOT/writable/**" allow: [READ, WRITE, CREATE] }
file { path: "$ROOT/writable/tree/hidden/**" deny: READ }
file { path: "$ROOT/secret/**" allow: CREATE }
file { path: "$ROOT/src" allow: READ }
file { path: "$ROOT/src/*" allow: [READ, WRITE, CREATE] }
file { path: "$ROOT/src/*/*" allow: CREATE }
)";

bool write_text(const std::string& path, const char* text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const bool written = fd >= 0 && ::write(fd, text, std::strlen(text)) > 0;
  ::close(fd);
  return written;
}

class AttackMovedRights : public testing::Test {
 protected:
  // What every attempt finds; outside the sandbox, before it.
  void plant() const {
    Scene::prepare([this] {
      for (const char* folder : {"writable/tree", "writable/tree/hidden", "src", "src/d"}) {
        ::mkdir(scene_.path(folder).c_str(), 0755);
      }
      for (const char* key : {"writable/tree/hidden/key", "src/d/key", "secret/key"}) {
        write_text(scene_.path(key), kSecret);
      }
      write_text(scene_.path("writable/mine"), kPublic);
      write_text(scene_.path("src/x"), kPublic);
      return write_text(scene_.path("allowed/public"), kPublic);
    });
  }
  // What an attempt may have left.
  void clear() const {
    Scene::prepare([this] {
      for (const char* name : {"writable/got", "writable/moved/hidden/key", "writable/x"}) {
        ::unlink(scene_.path(name).c_str());
      }
      ::rename(scene_.path("writable/moved").c_str(), scene_.path("writable/tree").c_str());
      return true;
    });
  }
  void expect_refused(const Attack& attack) const {
    plant();
    EXPECT_EQ(scene_.free(attack), Ended::kSucceeded);
    clear();
    plant();
    EXPECT_EQ(scene_.inside(attack), Ended::kRefused);
  }

  const Scene scene_{kRules};
};

TEST_F(AttackMovedRights, TheSandboxIsNotJustBroken) {
  plant();
  const std::string mine = scene_.path("writable/mine");
  const std::string other = scene_.path("writable/other");
  EXPECT_EQ(scene_.inside([=] {
    return ::rename(mine.c_str(), other.c_str()) == 0 && ::link(other.c_str(), mine.c_str()) == 0 &&
           ::unlink(other.c_str()) == 0 && ::chmod(mine.c_str(), 0600) == 0;
  }),
            Ended::kSucceeded);
}

TEST_F(AttackMovedRights, ByRename) {
  const std::string key = scene_.path("secret/key");
  const std::string got = scene_.path("writable/got");
  expect_refused([=] { return ::rename(key.c_str(), got.c_str()) == 0 && reads_secret(got); });
}

TEST_F(AttackMovedRights, ByLink) {
  const std::string key = scene_.path("secret/key");
  const std::string got = scene_.path("writable/got");
  expect_refused([=] { return ::link(key.c_str(), got.c_str()) == 0 && reads_secret(got); });
}

TEST_F(AttackMovedRights, ByLinkThroughADescriptor) {
  const std::string file = scene_.path("allowed/public");
  const std::string got = scene_.path("writable/got");
  expect_refused([=] {
    const int fd = ::open(file.c_str(), O_RDONLY);
    const std::string own = "/proc/self/fd/" + std::to_string(fd);
    return ::linkat(AT_FDCWD, own.c_str(), AT_FDCWD, got.c_str(), AT_SYMLINK_FOLLOW) == 0 &&
           write_text(got, "overwritten\n");
  });
}

TEST_F(AttackMovedRights, ByExchange) {
  const std::string key = scene_.path("secret/key");
  const std::string mine = scene_.path("writable/mine");
  expect_refused([=] {
    for (const auto& [from, to] : {std::pair(key, mine), std::pair(mine, key)}) {
      if (::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) ==
          0) {
        return reads_secret(mine);
      }
    }
    return false;
  });
}

TEST_F(AttackMovedRights, WithADirectoryAboveADeny) {
  const std::string tree = scene_.path("writable/tree");
  const std::string moved = scene_.path("writable/moved");
  expect_refused([=] {
    return ::rename(tree.c_str(), moved.c_str()) == 0 && reads_secret(moved + "/hidden/key");
  });
}

TEST_F(AttackMovedRights, OfTheHiddenDirectoryItself) {
  const std::string hidden = scene_.path("writable/tree/hidden");
  const std::string got = scene_.path("writable/got");
  expect_refused([=] {
    const bool moved = ::rename(hidden.c_str(), got.c_str()) == 0;
    const bool got_key = moved && reads_secret(got + "/key");
    if (moved) ::rename(got.c_str(), hidden.c_str());
    return got_key;
  });
}

TEST_F(AttackMovedRights, ToWriteWhatMayOnlyBeRead) {
  const std::string file = scene_.path("allowed/public");
  const std::string got = scene_.path("writable/got");
  expect_refused(
      [=] { return ::link(file.c_str(), got.c_str()) == 0 && write_text(got, "overwritten\n"); });
}

TEST_F(AttackMovedRights, ThroughASymlinkOfOnesOwn) {
  const std::string file = scene_.path("allowed/public");
  const std::string got = scene_.path("writable/got");
  expect_refused([=] {
    if (::symlink(file.c_str(), got.c_str()) != 0) return false;
    const timespec times[2] = {{1, 0}, {1, 0}};
    const bool changed = ::chmod(got.c_str(), 0666) == 0 || ::truncate(got.c_str(), 0) == 0 ||
                         ::utimensat(AT_FDCWD, got.c_str(), times, 0) == 0 ||
                         ::chown(got.c_str(), ::getuid(), ::getgid()) == 0;
    ::unlink(got.c_str());
    return changed;
  });
}

TEST_F(AttackMovedRights, PrivilegedModes) {
  const std::string mine = scene_.path("writable/mine");
  expect_refused([=] {
    bool set = false;
    for (const mode_t mode : {04755, 02755, 06711, 01777}) {
      set |= ::chmod(mine.c_str(), mode) == 0;
      const int fd = ::open(mine.c_str(), O_RDWR);
      set |= ::fchmod(fd, mode) == 0;
      ::close(fd);
    }
    return set;
  });
}

TEST_F(AttackMovedRights, DeviceNodes) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root makes devices";
  const std::string got = scene_.path("writable/got");
  expect_refused([=] {
    const bool made = ::mknod(got.c_str(), S_IFCHR | 0600, 0x103) == 0;  // null
    if (made) ::unlink(got.c_str());
    return made;
  });
}

// What may be moved as a file may not be as a directory: the two are exchanged at one name while
// another thread moves what is there.
TEST_F(AttackMovedRights, ByADirectoryThatTakesTheFilesPlace) {
  const std::string x = scene_.path("src/x");
  const std::string d = scene_.path("src/d");
  const std::string got = scene_.path("writable/x");
  const auto attack = [=](int rounds) {
    std::atomic<bool> stop{false};
    std::thread swapper([&] {
      while (!stop) {
        ::syscall(SYS_renameat2, AT_FDCWD, x.c_str(), AT_FDCWD, d.c_str(), RENAME_EXCHANGE);
      }
    });
    bool leaked = false;
    int moved = 0;
    for (int i = 0; i < rounds && !leaked; ++i) {
      if (::rename(x.c_str(), got.c_str()) != 0) continue;
      ++moved;
      leaked = reads_secret(got + "/key");
      ::rename(got.c_str(), x.c_str());
    }
    stop = true;
    swapper.join();
    // A race in which nothing moved would prove nothing.
    return leaked || moved == 0;
  };
  plant();
  EXPECT_EQ(scene_.free([=] { return attack(2'000'000); }), Ended::kSucceeded);
  plant();
  EXPECT_EQ(scene_.inside([=] { return attack(race_rounds() / 5); }), Ended::kRefused);
}

}  // namespace
}  // namespace torno::test
