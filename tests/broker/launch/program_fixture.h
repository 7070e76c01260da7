// What the tests of find_program share: programs of their own in a folder of their own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>

#include "broker/launch/program.h"
#include "tests/support/temporary_directory.h"

namespace torno::launch::test {

using Found = std::expected<Program, NotStarted>;

// "126: why", or "found".
inline std::string told(const Found& found) {
  if (found) return "found";
  return std::to_string(found.error().exit_code) + ": " + found.error().message;
}

class ProgramTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

  // Each returns the path of what it makes.
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    std::string made = directory_.write(name, text);
    EXPECT_EQ(::chmod(made.c_str(), mode), 0);
    return made;
  }
  std::string copy(const std::string& name, mode_t mode = 0755,
                   const char* program = "/bin/true") const {
    std::string made = path(name);
    std::filesystem::copy_file(program, made);
    EXPECT_EQ(::chmod(made.c_str(), mode), 0);
    struct stat status{};
    EXPECT_EQ(::stat(made.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode) << "the kernel took a bit away";
    return made;
  }
  std::string folder(const std::string& name) const {
    std::filesystem::create_directory(path(name));
    return path(name);
  }

  static Found find(const std::string& name, const std::string& path_variable = "/nowhere") {
    return find_program(name, path_variable, AT_FDCWD);
  }

  const torno::test::TemporaryDirectory directory_;
};

}  // namespace torno::launch::test
