// Races: what is checked must be what is opened. TORNO_RACE_ROUNDS sets how many opens race.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/attack/scene.h"

namespace torno::test {
namespace {

// Runs `swap` in a process of its own for as long as it lives; outside, and nowhere else.
class Swapper {
 public:
  explicit Swapper(const std::function<void()>& swap) {
    if (Scene::launcher() != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      for (;;) swap();
    }
  }
  ~Swapper() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;

 private:
  pid_t pid_ = -1;
};

// What a sandbox does that checks a name and then opens it: the positive control of each race.
bool check_then_open(const std::string& path, const std::string& allowed) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return false;
  if (!std::string(resolved).starts_with(allowed)) return false;
  return reads_secret(path);
}

// The control needs a scheduler's luck on two CPUs, so it goes on until it has leaked once.
constexpr int kControlRounds = 2'000'000;

TEST(AttackRaces, SymlinkSwap) {
  const Scene scene;
  const std::string allowed = scene.path("allowed");
  const std::string raced = scene.path("allowed/raced");
  const std::string good = scene.path("allowed/good");
  const std::string bad = scene.path("allowed/bad");
  const Swapper swapper([&] {
    const bool swapped = ::symlink((allowed + "/public").c_str(), good.c_str()) == 0 &&
                         ::rename(good.c_str(), raced.c_str()) == 0 &&
                         ::symlink("../secret/key", bad.c_str()) == 0 &&
                         ::rename(bad.c_str(), raced.c_str()) == 0;
    if (!swapped) ::_exit(1);
  });
  const Attack naive = [&] {
    for (int i = 0; i < kControlRounds; ++i) {
      if (check_then_open(raced, allowed)) return true;
    }
    return false;
  };
  const Attack attack = [&] {
    for (int i = 0; i < race_rounds(); ++i) {
      if (reads_secret(raced)) return true;
    }
    return false;
  };
  EXPECT_EQ(scene.free(naive), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

TEST(AttackRaces, DirectoryAndSymlinkExchanged) {
  const Scene scene;
  const std::string allowed = scene.path("allowed");
  const std::string directory = scene.path("allowed/flip");
  const std::string link = scene.path("allowed/flop");
  ASSERT_TRUE(Scene::prepare([&] {
    const int fd = ::mkdir(directory.c_str(), 0755) == 0
                       ? ::open((directory + "/key").c_str(), O_WRONLY | O_CREAT, 0644)
                       : -1;
    ::close(fd);
    return fd >= 0 && ::symlink("../secret", link.c_str()) == 0;
  }));
  const Swapper swapper(
      [&] { ::renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE); });
  const std::string path = directory + "/key";
  const Attack naive = [&] {
    for (int i = 0; i < kControlRounds; ++i) {
      if (check_then_open(path, allowed)) return true;
    }
    return false;
  };
  const Attack attack = [&] {
    for (int i = 0; i < race_rounds(); ++i) {
      if (reads_secret(path)) return true;
    }
    return false;
  };
  EXPECT_EQ(scene.free(naive), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

// The system call alone: TSan reads the path in open(), and would report the race that is meant.
int open_racing(const char* path) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
}

constexpr auto kRelaxed = std::memory_order_relaxed;

// A second thread rewrites the path's bytes while the first opens it.
TEST(AttackRaces, BytesOfThePath) {
  const Scene scene;
  const std::string allowed = scene.path("allowed/public");
  const std::string secret = scene.path("allowed/../secret/key");
  const auto race = [=](int count, const std::function<bool(char*)>& opens) {
    char path[PATH_MAX] = {};
    std::memcpy(path, allowed.c_str(), allowed.size() + 1);
    std::atomic<bool> stop = false;
    std::thread flipper([&] {
      while (!stop.load(kRelaxed)) {
        for (const std::string* text : {&secret, &allowed}) {
          for (std::size_t i = 0; i <= text->size(); ++i) {
            std::atomic_ref(path[i]).store((*text)[i], kRelaxed);
          }
          // Stands still for a moment, so that each of the two is met whole.
          for (std::size_t i = 0; i < 100; ++i) std::atomic_ref(path[0]).store('/', kRelaxed);
        }
      }
    });
    bool leaked = false;
    for (int i = 0; i < count && !leaked; ++i) leaked = opens(path);
    stop = true;
    flipper.join();
    return leaked;
  };
  const Attack naive = [&] {
    return race(kControlRounds, [&](char* path) {
      for (std::size_t i = 0; i <= allowed.size(); ++i) {
        if (std::atomic_ref(path[i]).load(kRelaxed) != allowed[i]) return false;
      }
      ::sched_yield();  // a check takes its time
      return reads_secret(open_racing(path));
    });
  };
  const Attack attack = [&] {
    return race(race_rounds(), [](char* path) { return reads_secret(open_racing(path)); });
  };
  EXPECT_EQ(scene.free(naive), Ended::kSucceeded);
  EXPECT_EQ(scene.inside(attack), Ended::kRefused);
}

}  // namespace
}  // namespace torno::test
