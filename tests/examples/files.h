// What a program left behind.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace torno::examples {

inline std::string read_file(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

inline bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

}  // namespace torno::examples
