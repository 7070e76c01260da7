// Running the built programs, and a tornod of one's own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/examples/directory.h"

namespace torno::examples {

struct Result {
  int status = -1;  // exit status; 128+N when signal N ended it
  std::string out;
  std::string err;
};

std::string program(const std::string& name);  // of the build's bin folder
std::string module(const std::string& name);   // of its lib folder

// Runs `arguments` to their end. TORNO_* of the environment is not passed on, but for
// TORNO_BROKER, which is `broker` when that is not empty; without one the program embeds its own.
Result run(const std::vector<std::string>& arguments, const std::string& broker = "");

// tornod on a socket in `directory`, with its policies in `directory`/policies.
class Service {
 public:
  explicit Service(const Directory& directory);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
  pid_t pid_ = -1;
};

}  // namespace torno::examples
