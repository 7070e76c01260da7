// A second thread swaps what stands at a path while it is opened. Checking a name and opening it
// afterwards loses this race now and then; deciding on what is pinned never does.
#include <linux/fs.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

// TORNO_RACE_ROUNDS for more.
long rounds() {
  const char* given = std::getenv("TORNO_RACE_ROUNDS");
  return given != nullptr ? std::atol(given) : 5000;
}

// When what has to happen some time has not happened by then, it does not.
constexpr long kManyRounds = 2'000'000;

class Race : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("allowed");
    make_directory("secret");
    write("allowed/real", "open");
    write("secret/real", "secret");
    allow(R"(file { path: "$D/allowed/**" allow: [READ, WRITE, CREATE] })");
  }

  // Swaps two names, both in the folder, until it ends.
  class Swapper {
   public:
    Swapper(const std::string& a, const std::string& b)
        : thread_([this, a, b] {
            while (!ended_) {
              ::syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
            }
          }) {}
    ~Swapper() {
      ended_ = true;
      thread_.join();
    }

   private:
    std::atomic<bool> ended_ = false;
    std::thread thread_;
  };

  // As a broker without care: is the real name an allowed one? Then open it.
  std::string naive(const std::string& path) const {
    std::error_code error;
    const std::string real = std::filesystem::canonical(path, error).string();
    if (error || !real.starts_with(at("allowed/"))) return "";
    return contents(path);
  }

  struct Tally {
    long opened = 0;
    long refused = 0;
    long leaked = 0;
  };

  Tally race(const std::string& path, std::uint64_t flags = O_RDONLY) {
    Tally tally;
    // On a busy machine the other thread may sleep through all of the rounds.
    const auto is_raced = [&tally] { return tally.opened > 0 && tally.refused > 0; };
    for (long i = 0; i < rounds() || (!is_raced() && i < kManyRounds); ++i) {
      const Wait wait = i % 2 == 0 ? Wait::kNever : Wait::kMayBlock;
      const Outcome outcome =
          files_->open(policy_, {.place = place(path), .flags = flags, .mode = 0600}, wait);
      if (!outcome.fd) {
        ++tally.refused;
        continue;
      }
      ++tally.opened;
      if (contents(outcome.fd.get()) == "secret") ++tally.leaked;
    }
    return tally;
  }

  // The control goes on until it has leaked: that the race is there, not how often it is won.
  bool naive_leaks(const std::string& path) const {
    for (long i = 0; i < kManyRounds; ++i) {
      if (naive(path) == "secret") return true;
    }
    return false;
  }
};

TEST_F(Race, LinkAtTheEnd) {
  link("../secret/real", "allowed/link");
  link("real", "allowed/other");
  const Swapper swapper(at("allowed/link"), at("allowed/other"));
  EXPECT_TRUE(naive_leaks(at("allowed/link")));
  const Tally tally = race(at("allowed/link"));
  EXPECT_EQ(tally.leaked, 0);
  EXPECT_GT(tally.opened, 0);
  EXPECT_GT(tally.refused, 0);
}

TEST_F(Race, FileAgainstALink) {
  write("allowed/file", "open");
  link("../secret/real", "allowed/link");
  const Swapper swapper(at("allowed/file"), at("allowed/link"));
  EXPECT_TRUE(naive_leaks(at("allowed/file")));
  const Tally tally = race(at("allowed/file"));
  EXPECT_EQ(tally.leaked, 0);
  EXPECT_GT(tally.opened, 0);
}

TEST_F(Race, DirectoryOnTheWay) {
  make_directory("allowed/way");
  write("allowed/way/real", "open");
  link("../secret", "allowed/link");
  const Swapper swapper(at("allowed/way"), at("allowed/link"));
  EXPECT_TRUE(naive_leaks(at("allowed/way/real")));
  const Tally tally = race(at("allowed/way/real"));
  EXPECT_EQ(tally.leaked, 0);
  EXPECT_GT(tally.opened, 0);
  const Tally winding = race(at("allowed/way/../way/real"));
  EXPECT_EQ(winding.leaked, 0);
  EXPECT_GT(winding.opened, 0);
}

TEST_F(Race, TruncatedFileIsNeverTheSecret) {
  write("allowed/file", "open");
  link("../secret/real", "allowed/link");
  {
    const Swapper swapper(at("allowed/file"), at("allowed/link"));
    race(at("allowed/file"), O_WRONLY | O_CREAT | O_TRUNC);
  }
  EXPECT_EQ(contents(at("secret/real")), "secret");
}

TEST_F(Race, NothingIsMadeOutside) {
  link("../secret/made", "allowed/link");
  link("made", "allowed/other");
  {
    const Swapper swapper(at("allowed/link"), at("allowed/other"));
    for (long i = 0; i < rounds(); ++i) {
      const OpenRequest request{
          .place = place(at("allowed/link")), .flags = O_WRONLY | O_CREAT, .mode = 0600};
      files_->open(policy_, request, Wait::kMayBlock);
      ::unlink(at("allowed/made").c_str());
    }
  }
  EXPECT_NE(::access(at("secret/made").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace torno::files
