#include "broker/launch/orphans.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace torno::launch {
namespace {

// A child is listed under the thread that it was given to.
void kill_children() {
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream children(thread.path() / "children");
    for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
  }
}

}  // namespace

bool adopt_orphans() {
  siginfo_t child{};
  const bool has_children =
      ::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
  return !has_children && ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

void end_orphans() {
  constexpr int kBetween = 1;  // milliseconds
  for (;;) {
    const pid_t child = ::waitpid(-1, nullptr, WNOHANG | __WALL);
    if (child < 0 && errno == ECHILD) return;
    if (child > 0) continue;
    kill_children();
    ::poll(nullptr, 0, kBetween);
  }
}

}  // namespace torno::launch
