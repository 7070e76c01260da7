#include "sandboxee/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cerrno>

#include "sandboxee/growth.h"
#include "sandboxee/pool.h"
#include "sandboxee/translate/close_range.h"
#include "sandboxee/translate/open_files.h"

namespace torno {
namespace {

rlimit limits_at_start;

bool check_limit(Failure& fail) {
  if (getrlimit(RLIMIT_NOFILE, &limits_at_start) != 0) {
    return fail.system(errno, "cannot read RLIMIT_NOFILE");
  }
  if (limits_at_start.rlim_max > static_cast<rlim_t>(kControlFd)) return true;
  return fail(
      EMFILE,
      "the hard RLIMIT_NOFILE is %llu, and at least %d is needed: raise it with `ulimit -Hn "
      "%d` or LimitNOFILE=",
      static_cast<unsigned long long>(limits_at_start.rlim_max), kControlFd + 1, kControlFd + 1);
}

bool place_first_channel(Failure& fail) {
  const NewChannel channel = request_channel(kControlFd);
  if (channel.fd < 0) {
    return fail.system(-channel.fd, "the broker gave no channel for requests");
  }
  const Fd low(channel.fd);
  const int placed = fcntl(low.get(), F_DUPFD_CLOEXEC, kLastChannelFd);
  if (placed != kLastChannelFd) return fail.system(errno, "cannot place the first channel");
  if (!pool::create(placed, channel.id)) return fail.system(errno, "no memory for the channels");
  return true;
}

// The handler waits on it, so it has to block.
bool make_blocking(Failure& fail) {
  if (fcntl(kControlFd, F_SETFL, fcntl(kControlFd, F_GETFL) & ~O_NONBLOCK) == 0) return true;
  return fail.system(errno, "cannot prepare the broker's socket");
}

bool raise_limit(Failure& fail) {
  const rlimit raised{limits_at_start.rlim_max, limits_at_start.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return true;
  return fail.system(errno, "cannot raise RLIMIT_NOFILE");
}

}  // namespace

bool check_descriptors(Failure& fail) {
  if (!check_limit(fail)) return false;
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) {
    return fail.system(errno, "cannot read /proc/self/fd, which torno_enter needs");
  }
  int highest = 0;
  int taken = -1;
  while (const dirent* entry = readdir(directory)) {
    const int fd = static_cast<int>(strtol(entry->d_name, nullptr, 10));
    if (is_reserved(fd)) taken = fd;
    if (fd > highest) highest = fd;
  }
  closedir(directory);
  set_highest_fd(highest);
  if (taken < 0) return true;
  return fail(EMFILE, "descriptor %d is in use, and %d to %d are the library's: close it first",
              taken, kFirstChannelFd, kControlFd);
}

bool place_descriptors(Fd control, Failure& fail) {
  if (!raise_limit(fail)) return false;
  const int placed = fcntl(control.get(), F_DUPFD_CLOEXEC, kControlFd);
  if (placed != kControlFd) {
    const int error = errno;
    if (placed >= 0) close(placed);
    return fail(placed >= 0 ? EMFILE : error, "cannot move the broker's socket to descriptor %d",
                kControlFd);
  }
  return make_blocking(fail) && place_first_channel(fail);
}

bool adopt_descriptors(Failure& fail) {
  if (getrlimit(RLIMIT_NOFILE, &limits_at_start) != 0) {
    return fail.system(errno, "cannot read RLIMIT_NOFILE");
  }
  if (fcntl(kControlFd, F_SETFD, FD_CLOEXEC) != 0) {
    return fail.system(errno, "the launcher's socket is not there");
  }
  return raise_limit(fail) && make_blocking(fail) && place_first_channel(fail);
}

void abandon_descriptors() {
  setrlimit(RLIMIT_NOFILE, &limits_at_start);
  pool::destroy();
  close(kLastChannelFd);
  close(kControlFd);
}

bool lower_open_files(unsigned open_files, Failure& fail) {
  rlimit limit{limits_at_start.rlim_cur, kControlFd};
  if (limit.rlim_cur > static_cast<rlim_t>(kFirstChannelFd)) limit.rlim_cur = kFirstChannelFd;
  if (open_files != 0 && open_files < static_cast<unsigned>(kFirstChannelFd)) {
    limit = {open_files, open_files};
  }
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return fail.system(errno, "cannot lower RLIMIT_NOFILE");
  open_files::remember(limit.rlim_cur, limit.rlim_max);
  return true;
}

}  // namespace torno
