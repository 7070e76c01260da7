// procfs is the broker's own memory and descriptors, if one is not careful. The policies here
// allow all of /proc, so that only what the broker does by itself stands in the way.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "tests/attack/scene.h"

namespace torno::test {
namespace {

constexpr char kWithProc[] = R"(
include: "base"
file { path: "$ROOT/allowed/**" allow: READ }
file { path: "/proc/**" allow: [READ, WRITE] }
)";

void expect_refused(const Scene& scene, const Attack& attack) {
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackProc, Root) {
  const Scene scene(kWithProc);
  const std::string key = scene.path("secret/key");
  for (const char* self : {"self", "thread-self"}) {
    expect_refused(scene,
                   [=] { return reads_secret(std::string("/proc/") + self + "/root" + key); });
  }
  expect_refused(
      scene, [=] { return reads_secret("/proc/" + std::to_string(::getpid()) + "/root" + key); });
}

TEST(AttackProc, Cwd) {
  const Scene scene(kWithProc);
  const std::string secret = scene.path("secret");
  const Attack enter = [=] { return ::chdir(secret.c_str()) == 0; };
  const Attack attack = [] { return reads_secret("/proc/self/cwd/key") || reads_secret("key"); };
  EXPECT_EQ(scene.free([&] { return enter() && attack(); }), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack, enter), Ended::kRefused);
}

TEST(AttackProc, DirectoryFdAsAPath) {
  const Scene scene(kWithProc);
  const std::string allowed = scene.path("allowed");
  expect_refused(scene, [=] {
    const int fd = ::open(allowed.c_str(), O_RDONLY | O_DIRECTORY);
    return fd >= 0 && (reads_secret("/proc/self/fd/" + std::to_string(fd) + "/../secret/key") ||
                       reads_secret("/dev/fd/" + std::to_string(fd) + "/link"));
  });
}

// A descriptor for reading, opened anew for writing.
TEST(AttackProc, ReopenForWriting) {
  const Scene scene(kWithProc);
  const std::string path = scene.path("allowed/public");
  expect_refused(scene, [=] {
    const int fd = ::open(path.c_str(), O_RDONLY);
    return fd >= 0 && ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_WRONLY) >= 0;
  });
}

// The process of the test, which is the launcher of what is confined.
pid_t tester() {
  return Scene::launcher() != 0 ? Scene::launcher() : ::getpid();
}

TEST(AttackProc, MemoryOfTheBroker) {
  const Scene scene(kWithProc);
  const auto opens = [](pid_t pid) {
    return [pid] {
      return ::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY) >= 0 ||
             ::open(("/proc/" + std::to_string(pid) + "/maps").c_str(), O_RDONLY) >= 0 ||
             ::open(("/proc/" + std::to_string(pid) + "/environ").c_str(), O_RDONLY) >= 0;
    };
  };
  // The control looks at this test's own process, which is dumpable, as the broker may not be.
  EXPECT_EQ(scene.free(opens(tester())), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(opens(tester())), Ended::kRefused);
  EXPECT_EQ(scene.sealed(opens(scene.broker_pid())), Ended::kRefused);
}

std::string read_own_status() {
  char text[4096] = {};
  const int fd = ::open("/proc/self/status", O_RDONLY);
  return fd >= 0 && ::read(fd, text, sizeof text - 1) > 0 ? text : "";
}

// What a helper reads that opens the path as it was asked to, and passes on what it finds.
std::string status_by_a_naive_broker() {
  int ends[2];
  if (::pipe(ends) != 0) return "";
  const pid_t broker = ::fork();
  if (broker == 0) {
    const std::string status = read_own_status();
    ::_exit(::write(ends[1], status.data(), status.size()) >= 0 ? 0 : 1);
  }
  ::waitpid(broker, nullptr, 0);
  char text[4096] = {};
  return ::read(ends[0], text, sizeof text - 1) > 0 ? text : "";
}

// "self" must not be the broker either.
TEST(AttackProc, SelfIsTheClient) {
  const Scene scene(kWithProc);
  const auto tells_of_another = [](std::string (*read_status)()) {
    return [read_status] {
      const std::string status = read_status();
      return !status.contains("\nPid:\t" + std::to_string(::getpid()) + "\n");
    };
  };
  EXPECT_EQ(scene.free(tells_of_another(status_by_a_naive_broker)), Ended::kSucceeded);
  EXPECT_EQ(scene.free(tells_of_another(read_own_status)), Ended::kRefused);
  EXPECT_EQ(scene.inside(tells_of_another(read_own_status)), Ended::kRefused);
}

TEST(AttackProc, FdsOfTheBroker) {
  const Scene scene(kWithProc);
  const auto attack = [](pid_t pid) {
    return [pid] {
      for (int fd = 0; fd < 32; ++fd) {
        struct stat st{};
        const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
        if (::open(path.c_str(), O_RDONLY | O_NONBLOCK) >= 0) return true;
        if (::stat(path.c_str(), &st) == 0) return true;
      }
      return false;
    };
  };
  EXPECT_EQ(scene.free(attack(tester())), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack(tester())), Ended::kRefused);
  EXPECT_EQ(scene.sealed(attack(scene.broker_pid())), Ended::kRefused);
}

}  // namespace
}  // namespace torno::test
