// What a program sees of a broker that fails it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {
int next_number() {
  const int fd = dup(STDERR_FILENO);
  close(fd);
  return fd;
}
}  // namespace

SPECIAL_SCENARIO(every_open_is_eio) {
  signal(SIGPIPE, [](int) { CHECK(false && "SIGPIPE"); });
  enter("test");
  const int before = next_number();
  for (int i = 0; i < 3; ++i) CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EIO);
  CHECK(next_number() == before);
}

// Tells the test that it is sealed, and opens a FIFO to which nobody ever writes.
SPECIAL_SCENARIO(a_waiting_open_ends_with_its_broker) {
  enter("test");
  const int told = open((place.writable() + "/sealed").c_str(), O_WRONLY | O_CREAT, 0600);
  CHECK(write(told, "x", 1) == 1);
  CHECK_ERRNO(open(place.fifo().c_str(), O_RDONLY), EIO);
  CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EIO);
}

SPECIAL_SCENARIO(stat_without_a_result_is_eio) {
  enter("test");
  struct stat status;
  CHECK_ERRNO(stat(place.file().c_str(), &status), EIO);
}

SPECIAL_SCENARIO(the_queued_reply_is_taken) {
  enter("test");
  CHECK(open(place.file().c_str(), O_RDONLY) >= 0);
  CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EIO);
}

SPECIAL_SCENARIO(opens_work_and_leak_nothing) {
  enter("test");
  const int before = next_number();
  for (int i = 0; i < 100 && failures() == 0; ++i) {
    const int fd = open(place.file().c_str(), O_RDONLY);
    CHECK(fd >= 0);
    close(fd);
  }
  CHECK(next_number() == before);
}

SPECIAL_SCENARIO(opens_are_refused_and_leak_nothing) {
  enter("test");
  const int before = next_number();
  for (int i = 0; i < 100 && failures() == 0; ++i)
    CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EACCES);
  CHECK(next_number() == before);
}

SPECIAL_SCENARIO(a_pending_open_is_interrupted) {
  static volatile sig_atomic_t handled = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { handled = handled + 1; };
  enter("test");
  sigaction(SIGALRM, &action, nullptr);
  const itimerval soon{{0, 0}, {0, 50'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EINTR);
  CHECK(handled == 1);
  for (int i = 2; i < 20; ++i) {
    setitimer(ITIMER_REAL, &soon, nullptr);
    CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EINTR);
    CHECK(handled == i);
  }
}

SPECIAL_SCENARIO(a_restarting_handler_does_not_end_a_pending_open) {
  static volatile sig_atomic_t handled = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { handled = handled + 1; };
  action.sa_flags = SA_RESTART;
  enter("test");
  sigaction(SIGALRM, &action, nullptr);
  const itimerval soon{{0, 0}, {0, 20'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  CHECK(open(place.file().c_str(), O_RDONLY) >= 0);
  while (handled == 0) usleep(1000);
}

SPECIAL_SCENARIO(the_process_ends_with_its_broker) {
  enter("test");
  open(place.file().c_str(), O_RDONLY);
  CHECK(false && "still there");
}
