#include "tests/broker/filter/child.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/processes.h"

namespace torno::filter::test {

std::string exited(int status) {
  return "exit " + std::to_string(status);
}

std::string killed_by(int signal) {
  return "signal " + std::to_string(signal);
}

std::string in_child(const std::function<int()>& body) {
  const pid_t child = torno::test::fork_alone();
  if (child < 0) return "fork failed";
  if (child == 0) {
    const rlimit none{0, 0};  // no core files
    ::setrlimit(RLIMIT_CORE, &none);
    ::_exit(body());
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return "waitpid failed";
  }
  return WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
}

bool load_filter(const Instructions& program) {
  const sock_fprog filter = {static_cast<unsigned short>(program.size()),
                             const_cast<sock_filter*>(program.data())};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

bool enter_ruleset(int ruleset) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

}  // namespace torno::filter::test
