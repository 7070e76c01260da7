// Directory: a temporary directory of one test, gone with it.
#pragma once

#include <filesystem>
#include <string>

namespace torno::examples {

class Directory {
 public:
  Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();

  std::string operator/(const std::string& name) const { return path_ / name; }
  const std::string& path() const { return path_.native(); }
  std::string make_directory(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);
bool exists(const std::string& path);

}  // namespace torno::examples
