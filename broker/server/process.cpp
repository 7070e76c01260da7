#include "broker/server/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <string>

#include "broker/server/listener.h"

namespace torno::server {

namespace {

// Of which half is for sockets, and one peer may have half of that: a session with all its
// channels.
constexpr rlim_t kFewFiles = 4096;

}  // namespace

void prepare_process() {
  ::umask(0);
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < kFewFiles) {
      std::fprintf(
          stderr,
          "tornod: warning: the hard limit of open files is %llu, which is enough for %llu "
          "sessions and channels; raise it (LimitNOFILE= in a unit, ulimit -Hn)\n",
          static_cast<unsigned long long>(files.rlim_max),
          static_cast<unsigned long long>(files.rlim_max / 2));
    }
  }
}

Result<Fd> take_control(int number) {
  constexpr int kFirstFree = 3;
  if (!is_connected_seqpacket(number)) {
    return std::unexpected(
        Error{"--fd " + std::to_string(number) + " is no connected Unix SOCK_SEQPACKET socket"});
  }
  if (number != kFirstFree && ::dup2(number, kFirstFree) < 0) {
    return std::unexpected(system_error("cannot move the control socket", errno));
  }
  Fd control(kFirstFree);
  ::fcntl(control.get(), F_SETFD, FD_CLOEXEC);
  ::close_range(kFirstFree + 1, UINT_MAX, 0);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return std::unexpected(system_error("cannot open /dev/null", errno));
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  if (null > STDERR_FILENO) ::close(null);
  return control;
}

}  // namespace torno::server
