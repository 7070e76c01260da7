#include "tests/broker/launch/exec.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace torno::launch::test {

int exec_error(const std::string& path) {
  std::string name = path;
  char* arguments[] = {name.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t child = -1;
  const int error = ::posix_spawn(&child, path.c_str(), nullptr, nullptr, arguments, environment);
  if (error == 0) ::waitpid(child, nullptr, 0);
  return error;
}

}  // namespace torno::launch::test
