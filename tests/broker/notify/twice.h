// Twice: a body run outside and then under the supervisor, in the same folder; what it recorded has
// to be the same.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/broker/notify/supervised.h"
#include "tests/support/processes.h"
#include "tests/support/temporary_directory.h"

namespace torno::notify::test {

// What waitpid(2) says of a child of vfork(2) that exits with what `body` returns.
[[gnu::noinline]] inline int in_vfork(const Body& body) {
  const pid_t child = ::vfork();
  if (child == 0) ::_exit(body());
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

class Twice : public testing::Test {
 protected:
  using Recorded = std::function<void(Record&)>;

  Twice() { make(); }

  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  std::string policy() const {
    return "file { path: \"" + root_.path() + "/**\" allow: [READ, WRITE, CREATE] type: FIFO }\n" +
           rules_;
  }

  // The folder as every body finds it.
  void make() const {
    namespace fs = std::filesystem;
    for (const auto& entry : fs::directory_iterator(root_.path())) fs::remove_all(entry.path());
    root_.write("file", "content");
    fs::create_directory(path("dir"));
    root_.write("dir/inner", "inner");
    fs::create_symlink("file", path("link"));
    fs::create_symlink("dir", path("dirlink"));
    fs::create_symlink("nothing", path("dangling"));
    fs::create_symlink("loop", path("loop"));
    ::mkfifo(path("fifo").c_str(), 0600);
  }

  // What `body` recorded outside.
  std::vector<long> outside(const Recorded& body) {
    record_.clear();
    const pid_t child = torno::test::fork_alone();
    if (child == 0) {
      ::umask(022);
      body(record_);
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return record_.numbers();
  }
  std::vector<long> inside(const Recorded& body) {
    record_.clear();
    EXPECT_EQ(run_supervised(policy(),
                             [&] {
                               body(record_);
                               return 0;
                             }),
              0);
    return record_.numbers();
  }
  void expect_same(const Recorded& body) {
    const auto expected = outside(body);
    make();
    EXPECT_FALSE(expected.empty());
    const auto seen = inside(body);
    const auto [here, there] = std::ranges::mismatch(seen, expected);
    const auto place = here - seen.begin();
    EXPECT_TRUE(seen == expected) << "number " << place << " of " << seen.size() << " and "
                                  << expected.size() << ": " << (here != seen.end() ? *here : -1)
                                  << " instead of " << (there != expected.end() ? *there : -1);
    make();
  }

  const torno::test::TemporaryDirectory root_;
  Record record_;
  std::string rules_;  // of the policy, beside the folder
};

}  // namespace torno::notify::test
