#include "tests/examples/directory.h"

#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace torno::examples {

Directory::Directory() {
  // Canonical, since rules are about what a path leads to.
  std::string name =
      std::filesystem::canonical(std::filesystem::temp_directory_path()) / "torno-examples.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Directory::make_directory(const std::string& name) const {
  std::filesystem::create_directory(path_ / name);
  return path_ / name;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << bytes)) throw std::runtime_error("cannot write " + path);
}

bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

}  // namespace torno::examples
