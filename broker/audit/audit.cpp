#include "broker/audit/audit.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace torno::audit {
namespace {

std::string now_text() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  char date[32];
  char text[64];
  ::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text, sizeof text, "%s.%06ldZ", date, now.tv_nsec / 1000);
  return text;
}

bool is_socket(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

void stamp(Event& event) {
  event.set_time(now_text());
}

Auditor::Auditor(int fd, Format format) : fd_(fd), format_(format), is_socket_(is_socket(fd)) {}

void Auditor::write(Event event) {
  stamp(event);
  const std::lock_guard lock(mutex_);
  if (lost_ > 0) {
    Event lost;
    lost.set_time(event.time());
    lost.mutable_suppressed()->set_events(lost_);
    if (!write_line(lost)) {
      ++lost_;
      return;
    }
    lost_ = 0;
  }
  if (!write_line(event)) ++lost_;
}

// The description behind standard error is shared with other processes, so it is never made
// non-blocking: a pipe is asked first, and takes up to PIPE_BUF bytes whole once it says yes.
bool Auditor::write_line(const Event& event) {
  const std::string line = to_line(event, format_) + '\n';
  if (is_socket_) {
    return ::send(fd_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
           static_cast<ssize_t>(line.size());
  }
  pollfd ready{fd_, POLLOUT, 0};
  if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
  return ::write(fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

}  // namespace torno::audit
