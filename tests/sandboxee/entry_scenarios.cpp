// torno_enter: how it fails, the broker of one's own, a second policy.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

// Says on standard error how torno_enter ended, for the test to look at.
void report_enter(const char* policy, unsigned flags) {
  char error[TORNO_ERROR_SIZE];
  errno = 0;
  const int result = torno_enter(policy, flags, error, sizeof error);
  dprintf(STDERR_FILENO, "%d %s: %s\n", result, strerrorname_np(errno), error);
  CHECK(std::strchr(error, '\n') == nullptr);
}

int count_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 4100; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

bool opens(const std::string& path, int flags = O_RDONLY) {
  const int fd = open(path.c_str(), flags, 0600);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

}  // namespace

SPECIAL_SCENARIO(enter_reports) {
  report_enter("test", 0);
  CHECK(torno_is_confined() == 0);
}

SPECIAL_SCENARIO(enter_without_embedding_reports) {
  report_enter("test", TORNO_NO_EMBEDDED);
}

SPECIAL_SCENARIO(enter_with_bad_arguments_reports) {
  report_enter(nullptr, 0);
  report_enter("", 0);
  report_enter(std::string(5000, 'x').c_str(), 0);
  report_enter("test", 2);
  CHECK_ERRNO(torno_enter("test", 2, nullptr, 0), EINVAL);
  char small[4];
  CHECK_ERRNO(torno_enter("test", 2, small, sizeof small), EINVAL);
  CHECK(std::memchr(small, '\0', sizeof small) != nullptr);
}

SPECIAL_SCENARIO(enter_with_threads_reports) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  std::thread other([&ends] {
    char byte;
    CHECK(read(ends[0], &byte, 1) == 0);
  });
  report_enter("test", 0);
  close(ends[1]);
  other.join();
}

SPECIAL_SCENARIO(enter_under_a_low_limit_reports) {
  const rlimit low{1024, 1024};
  CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
  report_enter("test", 0);
}

SPECIAL_SCENARIO(enter_with_a_reserved_number_in_use_reports) {
  const rlimit high{4096, 4096};
  CHECK(setrlimit(RLIMIT_NOFILE, &high) == 0);
  CHECK(dup2(STDERR_FILENO, 4095) == 4095);
  report_enter("test", 0);
}

SPECIAL_SCENARIO(failing_to_enter_leaves_no_descriptor) {
  const int before = count_descriptors();
  rlimit limit_before;
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit_before);
  report_enter("test", 0);
  CHECK(count_descriptors() == before - 1);  // TORNO_FD is the library's to close
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == limit_before.rlim_cur);
  CHECK_ERRNO(fcntl(4095, F_GETFD), EBADF);
}

SPECIAL_SCENARIO(variables_are_checked) {
  CHECK_ERRNO(torno_set(nullptr), EINVAL);
  CHECK_ERRNO(torno_set("NAME"), EINVAL);
  CHECK_ERRNO(torno_set("=x"), EINVAL);
  CHECK_ERRNO(torno_set("name=x"), EINVAL);
  CHECK_ERRNO(torno_set("9X=x"), EINVAL);
  CHECK_ERRNO(torno_set(("A=" + std::string(511, 'x')).c_str()), ENOSPC);
  CHECK(torno_set(("A=" + std::string(510, 'x')).c_str()) == 0);
  for (int i = 1; i < 16; ++i) CHECK(torno_set("B_2=x=y") == 0);
  CHECK_ERRNO(torno_set("C=x"), ENOSPC);
}

// TEST_POLICY is the path of a policy file that uses ${PLACE}.
SPECIAL_SCENARIO(a_broker_of_ones_own) {
  static volatile sig_atomic_t children = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { children = children + 1; };
  CHECK(sigaction(SIGCHLD, &action, nullptr) == 0);
  CHECK(torno_set(("PLACE=" + place.directory).c_str()) == 0);
  enter(std::getenv("TEST_POLICY"));
  CHECK_ERRNO(waitpid(-1, nullptr, 0), ECHILD);
  CHECK(children == 0);
  CHECK(opens(place.file()));
  CHECK(!opens(place.secret()));
  for (char** variable = environ; *variable != nullptr; ++variable) {
    CHECK(std::strncmp(*variable, "TORNO_", 6) != 0);
  }
  CHECK_ERRNO(torno_set("A=x"), EBUSY);
}

// In the playground's folder lie policies that may be read: wide, mine and typo.
SPECIAL_SCENARIO(a_second_policy_named_by_a_relative_path) {
  char error[TORNO_ERROR_SIZE];
  CHECK(chdir(place.directory.c_str()) == 0);
  CHECK(torno_enter("./wide.policy", 0, error, sizeof error) == 0);
  CHECK(opens(place.file()));
  CHECK_ERRNO(torno_enter("./missing.policy", 0, error, sizeof error), ENOENT);
  CHECK(std::strstr(error, "cannot read policy './missing.policy': No such file") != nullptr);
  CHECK_ERRNO(torno_enter("typo.policy", 0, error, sizeof error), EINVAL);
  CHECK(std::strstr(error, "typo.policy:2:1: error: unknown field 'fil'") != nullptr);
  CHECK(std::strchr(error, '\n') == nullptr);
  CHECK(opens(place.file()));
  CHECK(torno_enter("./mine.policy", 0, error, sizeof error) == 0);
  CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EACCES);
  CHECK(opens(place.directory + "/mine.policy"));
}

SEALED_SCENARIO(a_second_policy_narrows) {
  const std::string made = place.writable() + "/made";
  char error[TORNO_ERROR_SIZE];
  CHECK(opens(made, O_CREAT | O_WRONLY));
  CHECK_ERRNO(torno_enter("missing", 0, error, sizeof error), ENOENT);
  CHECK(std::strstr(error, "no policy 'missing'") != nullptr);
  CHECK(opens(made, O_WRONLY));
  CHECK(torno_enter("narrower", 0, error, sizeof error) == 0);
  CHECK_ERRNO(open(made.c_str(), O_WRONLY), EACCES);
  CHECK(opens(place.file()));
  CHECK(torno_enter("narrower", 0, error, sizeof error) == 0);
  CHECK(torno_enter("test", 0, error, sizeof error) == 0);
  CHECK_ERRNO(open(made.c_str(), O_WRONLY), EACCES);
  CHECK(opens(place.file()));
  const pid_t child = fork();
  if (child == 0) _exit(opens(place.file()) && !opens(made) ? 0 : 1);
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}
