// TemporaryDirectory: a folder of the test's own, gone with it.
#pragma once

#include <string>

namespace torno::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  // Without symlinks, so that policies may name it.
  const std::string& path() const { return path_; }

  // Writes the file, and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

}  // namespace torno::test
