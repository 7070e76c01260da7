// FilesFixture: a folder of the test's own, a policy about it, and requests of a client that is
// this very process. Every test ends with as many descriptors as it began with.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "broker/files/files.h"
#include "broker/policy/policy.h"
#include "tests/support/temporary_directory.h"

namespace torno::files {

class FilesFixture : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // "$D" in a policy is the test's folder.
  static policy::PolicyPtr load(std::string text, const std::string& folder);
  void allow(const std::string& rules);
  void stack(const std::string& rules);
  void protect(const std::vector<std::string>& paths);

  // A path in the folder, and things made at one.
  std::string at(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string write(const std::string& name, const std::string& text = "text");
  void make_directory(const std::string& name);
  void link(const std::string& target, const std::string& name);

  // Requests. Each is asked of a thread that may not be held first, where that changes nothing
  // on the disk: it has to say the same, or that it would block.
  Outcome open(const std::string& path, std::uint64_t flags = O_RDONLY, std::uint32_t mode = 0,
               std::uint64_t resolve = 0);
  Outcome open(const OpenRequest& request);
  Outcome stat(const std::string& path, std::uint32_t flags = 0);
  Outcome stat(const StatRequest& request);
  Outcome access(const std::string& path, std::uint32_t mode, std::uint32_t flags = 0);
  Outcome access(const AccessRequest& request);
  Outcome readlink(const std::string& path, std::uint32_t size = 4096);
  Outcome readlink(const ReadlinkRequest& request);

  // Places whose text lives as long as the test.
  Place place(const std::string& path);
  Place place_at(int directory, const std::string& path);
  Place place_in(const std::string& cwd, const std::string& path);
  Place place_of(int descriptor, const std::string& path);

  test::TemporaryDirectory folder_;
  policy::PolicyStack policy_;
  std::optional<Files> files_;

 private:
  void make_files(const std::vector<std::string>& protected_paths);

  int descriptors_ = 0;
  std::deque<std::string> texts_;
};

// How many descriptors this process has open.
int open_descriptors();

// All there is to read; "?" when reading fails.
std::string contents(int fd);
std::string contents(const std::string& path);

// Was it refused by the policy, with a denial that names `path`?
::testing::AssertionResult is_denied(const Outcome& outcome, const std::string& path = {});

}  // namespace torno::files
