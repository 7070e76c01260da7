#include "bench/worker.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace torno::bench {
namespace {

struct Order {
  Call call;
  std::uint32_t count;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

// read(2) and write(2) alone: a sealed process has them natively.
void serve_orders(int socket, const char* path) {
  Order order{};
  while (read(socket, &order, sizeof order) == static_cast<ssize_t>(sizeof order)) {
    std::int64_t elapsed = 0;
    if (!run(order.call, path, order.count, elapsed)) elapsed = -1;
    if (write(socket, &elapsed, sizeof elapsed) != static_cast<ssize_t>(sizeof elapsed)) return;
  }
}

}  // namespace

pid_t spawn(const std::function<void()>& body) {
  const pid_t pid = fork();
  if (pid < 0) die("torno_bench: fork");
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  body();
  std::fflush(stderr);
  _exit(0);
}

void stop(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

Worker::Worker(const std::string& path, const std::function<void()>& set_up) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    die("torno_bench: socketpair");
  }
  socket_.reset(pair[0]);
  pid_ = spawn([&] {
    close(pair[0]);
    set_up();
    serve_orders(pair[1], path.c_str());
  });
  close(pair[1]);
}

Worker::~Worker() {
  stop(pid_);
}

std::int64_t Worker::measure(Call call, std::uint32_t count) {
  const Order order{call, count};
  std::int64_t elapsed = -1;
  if (send(socket_.get(), &order, sizeof order, MSG_NOSIGNAL) < 0 ||
      read(socket_.get(), &elapsed, sizeof elapsed) != static_cast<ssize_t>(sizeof elapsed)) {
    return -1;
  }
  return elapsed;
}

}  // namespace torno::bench
