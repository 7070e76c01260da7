#include "examples/fuzz/take_over.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace torno::examples {
namespace {

void start_rm(const char* victim) {
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/rm", "rm", "-f", victim, nullptr);
    _exit(1);
  }
  if (child > 0) waitpid(child, nullptr, 0);
}

}  // namespace

void take_over() {
  if (const char* victim = std::getenv("VICTIM")) {
    const int descriptor = open(victim, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (descriptor >= 0) close(descriptor);
    static_cast<void>(truncate(victim, 0) == 0);
    static_cast<void>(rename(victim, (std::string(victim) + ".gone").c_str()) == 0);
    start_rm(victim);
    static_cast<void>(unlink(victim) == 0);
  }
  std::abort();
}

}  // namespace torno::examples
