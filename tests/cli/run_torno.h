// Runs the real program and takes what it says.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace torno::cli {

struct Said {
  int status = -1;  // exit status; -1: it did not exit by itself
  std::string out;
  std::string err;
};

Said run_torno(const std::vector<std::string>& arguments);

// The same with standard output going to a file; `out` stays empty.
Said run_torno_into(const std::string& file, const std::vector<std::string>& arguments);

// A variable in the environment of this process and the programs it runs, while it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value);
  ~Variable();
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// A directory of the test's own, by its canonical path, gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  // Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

}  // namespace torno::cli
