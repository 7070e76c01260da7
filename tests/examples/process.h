// Running the built programs.
#pragma once

#include <string>
#include <vector>

namespace torno::examples {

struct Result {
  int status = -1;  // exit status; 128+N when signal N ended it
  std::string out;
  std::string err;

  // The lines of standard error that begin with "NAME: ": the broker reports there too.
  std::string said_by(const std::string& name) const;
};

std::string program(const std::string& name);  // of the build's bin folder
std::string module(const std::string& name);   // of its lib folder

// Runs `arguments` to their end. TORNO_* of the environment is not passed on, but for
// TORNO_BROKER, which is `broker` when that is not empty; without one the program embeds its own.
Result run(const std::vector<std::string>& arguments, const std::string& broker = "");

}  // namespace torno::examples
