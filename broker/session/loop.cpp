#include "broker/session/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

namespace torno::session {
namespace {

// Of one wait: sockets that are ready take turns.
constexpr int kMostEvents = 64;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

int control(int epoll, int how, int fd, std::uint32_t events, void* data) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = data;
  return ::epoll_ctl(epoll, how, fd, &event);
}

}  // namespace

Loop::Loop()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      doorbell_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  checked(control(epoll_.get(), EPOLL_CTL_ADD, doorbell_.get(), EPOLLIN, nullptr), "epoll_ctl");
}

void Loop::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  ring();
}

void Loop::run() {
  while (!stopped_) {
    dropped_.clear();
    std::array<epoll_event, kMostEvents> events;
    // Silencing the bell may have taken the ring of a task that came just then.
    const int timeout = rung_.load() ? 0 : -1;
    // By syscall(2): libc makes it a point of cancellation, and nobody cancels this thread.
    const long count =
        ::syscall(SYS_epoll_pwait, epoll_.get(), events.data(), kMostEvents, timeout, nullptr, 0);
    ++turn_;
    if (rung_.load()) run_posted();
    for (long i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == nullptr) {
        silence();
        continue;
      }
      auto& watch = *static_cast<Watch*>(event.data.ptr);
      if (!watch.active) continue;  // dropped by a handler that came before
      watch.ready({(event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0,
                   (event.events & EPOLLOUT) != 0});
    }
  }
  dropped_.clear();
}

// One write(2) for all that is posted before the loop takes it.
void Loop::ring() {
  // It fails only when the counter is full, and then the bell rings already.
  if (!rung_.exchange(true)) ::eventfd_write(doorbell_.get(), 1);
}

void Loop::silence() {
  eventfd_t rung = 0;
  ::eventfd_read(doorbell_.get(), &rung);
}

void Loop::run_posted() {
  rung_.store(false);  // whoever posts from now on rings again
  std::list<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  while (!tasks.empty()) {
    Task task = std::move(tasks.front());
    tasks.pop_front();
    try {
      task();
    } catch (...) {
      {
        const std::lock_guard lock(mutex_);
        posted_.splice(posted_.begin(), tasks);
      }
      ring();
      throw;
    }
  }
}

std::optional<Loop::Handle> Loop::watch(int fd, Handler ready) {
  watches_.push_back(Watch{fd, std::move(ready)});
  const auto added = std::prev(watches_.end());
  if (control(epoll_.get(), EPOLL_CTL_ADD, fd, EPOLLIN, &*added) != 0) {
    watches_.erase(added);
    return std::nullopt;
  }
  return added;
}

void Loop::want_room(Handle watch, bool wanted) {
  control(epoll_.get(), EPOLL_CTL_MOD, watch->fd, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, &*watch);
}

void Loop::unwatch(Handle watch) {
  control(epoll_.get(), EPOLL_CTL_DEL, watch->fd, 0, nullptr);
  watch->active = false;
  dropped_.splice(dropped_.end(), watches_, watch);
}

}  // namespace torno::session
