#include "sandboxee/embedded.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandboxee/signals.h"

namespace torno {
namespace {

// Descriptors of tornod, after the three standard ones.
constexpr int kSessionFd = 3;
constexpr int kReportFd = 4;  // takes the errno of a failed exec; closed by one that succeeds

constexpr char kInstalled[] = TORNO_TORNOD;

using Path = char[PATH_MAX];

bool beside_program(Path& path) {
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  char* const slash = strrchr(path, '/');
  if (slash == nullptr) return false;
  const auto room = sizeof path - static_cast<std::size_t>(slash + 1 - path);
  if (static_cast<std::size_t>(snprintf(slash + 1, room, "tornod")) >= room) return false;
  return access(path, X_OK) == 0;
}

bool find_tornod(Path& path, Failure& fail) {
  if (const char* named = secure_getenv("TORNO_TORNOD")) {
    if (static_cast<std::size_t>(snprintf(path, sizeof path, "%s", named)) < sizeof path) {
      return true;
    }
    return fail(ENAMETOOLONG, "TORNO_TORNOD is too long");
  }
  if (beside_program(path)) return true;
  static_assert(sizeof kInstalled <= sizeof path);
  memcpy(path, kInstalled, sizeof kInstalled);
  if (access(path, X_OK) == 0) return true;
  return fail(ENOENT,
              "no broker: no service is running, and no tornod lies beside the program or at %s; "
              "install tornod, or name it in TORNO_TORNOD",
              kInstalled);
}

// fork without libc: one thread runs, and its atfork handlers are none of tornod's business.
long fork_silently(int exit_signal) {
  return raw::call(__NR_clone, exit_signal, nullptr, nullptr, nullptr, nullptr);
}

void reset_signals() {
  const KernelAction standard{};
  for (int signal = 1; signal <= 64; ++signal) {
    raw::call(__NR_rt_sigaction, signal, &standard, nullptr, sizeof(KernelMask));
  }
  const KernelMask none = 0;
  raw::call(__NR_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

// tornod gets its socket and standard error; a descriptor of the program's would keep the other
// end of some pipe waiting.
[[noreturn]] void become_tornod(const char* path, int session, int report) {
  raw::call(__NR_setsid);  // a Ctrl-C for the program is not for tornod
  const auto fail = [&report] {
    const int error = errno;
    if (write(report, &error, sizeof error) < 0) _exit(126);
    _exit(127);
  };
  const int null = open("/dev/null", O_RDWR);
  const int session_high = fcntl(session, F_DUPFD_CLOEXEC, kReportFd + 1);
  const int report_high = fcntl(report, F_DUPFD_CLOEXEC, kReportFd + 1);
  if (null < 0 || session_high < 0 || report_high < 0) fail();
  report = report_high;
  if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(session_high, kSessionFd) < 0) fail();
  if (dup3(report_high, kReportFd, O_CLOEXEC) < 0) fail();
  report = kReportFd;
  raw::call(__NR_close_range, kReportFd + 1, ~0U, 0);
  reset_signals();
  char program[] = "tornod";
  char option[] = "--fd";
  char number[] = {'0' + kSessionFd, '\0'};
  char* const arguments[] = {program, option, number, nullptr};
  // The environment of a set-user-ID program is its caller's word.
  char* const nothing[] = {nullptr};
  execve(path, arguments, getauxval(AT_SECURE) != 0 ? nothing : environ);
  fail();
  _exit(127);
}

// Twice: what execs gets SIGCHLD as its exit signal again, whatever clone said, and must by then
// be nobody's child of ours. The child in between has none, so that only __WCLONE sees it.
long spawn(const char* path, int session, int report) {
  const long child = fork_silently(0);
  if (child == 0) {
    if (fork_silently(0) == 0) become_tornod(path, session, report);
    _exit(0);
  }
  if (child < 0) return child;
  int status;
  while (waitpid(static_cast<pid_t>(child), &status, __WCLONE) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace

Fd start_embedded(Failure& fail) {
  Path path;
  if (!find_tornod(path, fail)) return Fd();

  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    fail.system(errno, "cannot make a socket for tornod");
    return Fd();
  }
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    fail.system(errno, "cannot make a pipe for tornod");
    return Fd();
  }
  Fd report_in(pipe_ends[0]);
  Fd report_out(pipe_ends[1]);

  const long error = spawn(path, theirs.get(), report_out.get());
  if (error != 0) {
    fail.system(static_cast<int>(-error), "cannot start tornod");
    return Fd();
  }
  theirs.reset();
  report_out.reset();
  int exec_error = 0;
  ssize_t got;
  do {
    got = read(report_in.get(), &exec_error, sizeof exec_error);
  } while (got < 0 && errno == EINTR);
  if (got != 0) {
    fail(exec_error, "cannot execute the broker %.300s: %s", path, strerror(exec_error));
    return Fd();
  }
  return ours;
}

}  // namespace torno
