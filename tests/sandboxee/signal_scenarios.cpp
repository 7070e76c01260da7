// Masks, actions and nesting: whatever the program does with signals, its calls go on working.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

char path_for_handler[512];
volatile sig_atomic_t handled = 0;
volatile sig_atomic_t opened = 0;

void open_in_handler(int) {
  handled = handled + 1;
  const int saved = errno;
  const int fd = open(path_for_handler, O_RDONLY);
  if (fd >= 0) {
    opened = opened + 1;
    close(fd);
  }
  errno = saved;
}

void handle(int signal, const Place& place, int flags = 0) {
  std::strcpy(path_for_handler, place.file().c_str());
  struct sigaction action{};
  action.sa_handler = open_in_handler;
  action.sa_flags = flags;
  sigfillset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

sigset_t full_set() {
  sigset_t set;
  sigfillset(&set);
  return set;
}

bool opens(const Place& place) {
  const int fd = open(place.file().c_str(), O_RDONLY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// TSan keeps a signal that comes in a call it does not know until the next one that it knows.
int opened_so_far() {
  usleep(0);
  return opened;
}

// A timer that is due while the caller waits with `mask`.
void signal_soon() {
  const itimerval soon{{0, 0}, {0, 20'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
}

}  // namespace

SEALED_SCENARIO(every_signal_blocked_and_calls_still_work) {
  sigset_t all = full_set();
  sigset_t before;
  sigset_t now;
  sigemptyset(&before);
  CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  CHECK(sigismember(&before, SIGUSR1) == 0);
  CHECK(opens(place));
  CHECK(pthread_sigmask(SIG_SETMASK, nullptr, &now) == 0);
  CHECK(sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGTERM) == 1);
  CHECK(sigismember(&now, SIGSYS) == 0);
  // Blocked means blocked: nothing is delivered until it is unblocked.
  handle(SIGUSR1, place);
  send_self(SIGUSR1);
  CHECK(handled == 0);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  CHECK(sigprocmask(SIG_UNBLOCK, &one, nullptr) == 0);
  CHECK(handled == 1 && opened == 1);
  CHECK(sigprocmask(SIG_BLOCK, &one, nullptr) == 0);
  send_self(SIGUSR1);
  CHECK(handled == 1);
  CHECK(sigprocmask(SIG_SETMASK, &before, nullptr) == 0);
  CHECK(handled == 2 && opened == 2);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 77, &one, nullptr, 8), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &one, nullptr, 16), EINVAL);
}

SEALED_SCENARIO(waits_with_a_full_mask_leave_sigsys_alone) {
  // Everything blocked but SIGALRM, whose handler opens a file with everything blocked.
  handle(SIGALRM, place);
  sigset_t alarm_only = full_set();
  sigdelset(&alarm_only, SIGALRM);
  const sigset_t all = full_set();
  sigprocmask(SIG_BLOCK, &all, nullptr);
  const int epoll = epoll_create1(0);
  epoll_event event;

  signal_soon();
  CHECK_ERRNO(sigsuspend(&alarm_only), EINTR);
  CHECK(opened_so_far() == 1);
  signal_soon();
  CHECK_ERRNO(ppoll(nullptr, 0, nullptr, &alarm_only), EINTR);
  CHECK(opened_so_far() == 2);
  signal_soon();
  CHECK_ERRNO(pselect(0, nullptr, nullptr, nullptr, nullptr, &alarm_only), EINTR);
  CHECK(opened_so_far() == 3);
  signal_soon();
  CHECK_ERRNO(epoll_pwait(epoll, &event, 1, -1, &alarm_only), EINTR);
  CHECK(opened_so_far() == 4);
  signal_soon();
  CHECK_ERRNO(syscall(SYS_epoll_pwait2, epoll, &event, 1, nullptr, &alarm_only, 8), EINTR);
  CHECK(opened_so_far() == 5);

  const timespec none{0, 0};
  CHECK(ppoll(nullptr, 0, &none, &all) == 0);
  CHECK(pselect(0, nullptr, nullptr, nullptr, &none, &all) == 0);
  CHECK(epoll_pwait(epoll, &event, 1, 0, &all) == 0);
  CHECK_ERRNO(syscall(SYS_ppoll, nullptr, 0, &none, &all, 16), EINVAL);
  CHECK(opens(place));
}

SEALED_SCENARIO(the_programs_action_for_sigsys_is_its_own) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { handled = handled + 1; };
  CHECK(sigaction(SIGSYS, nullptr, &before) == 0 && before.sa_handler == SIG_DFL);
  CHECK(sigaction(SIGSYS, &action, &before) == 0 && before.sa_handler == SIG_DFL);
  CHECK(sigaction(SIGSYS, nullptr, &before) == 0 && before.sa_handler == action.sa_handler);
  CHECK(opens(place));
  send_self(SIGSYS);
  CHECK(handled == 1);
  CHECK(opens(place));
  CHECK(signal(SIGSYS, SIG_IGN) == action.sa_handler);
  send_self(SIGSYS);
  CHECK(handled == 1);
  CHECK(opens(place));
}

SPECIAL_SCENARIO(a_foreign_sigsys_ends_the_process) {
  signal(SIGSYS, SIG_DFL);
  enter("test");
  CHECK(opens(place));
  send_self(SIGSYS);
  CHECK(false && "still there");
}

SCENARIO(sigsys_blocked_or_ignored_before_is_no_hindrance) {
  const sigset_t all = full_set();
  sigprocmask(SIG_SETMASK, &all, nullptr);
  signal(SIGSYS, SIG_IGN);
  enter("test");
  CHECK(opens(place));
  send_self(SIGSYS);
}

SEALED_SCENARIO(handlers_that_block_sigsys_may_open) {
  handle(SIGUSR1, place);  // sa_mask is full
  send_self(SIGUSR1);
  CHECK(opened == 1);
  struct sigaction now{};
  CHECK(sigaction(SIGUSR1, nullptr, &now) == 0 && sigismember(&now.sa_mask, SIGUSR2) == 1);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, &now, 16), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, 100, &now, nullptr, 8), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGKILL, &now, nullptr, 8), EINVAL);
}

SEALED_SCENARIO(opens_in_a_handler_that_interrupts_opens) {
  handle(SIGALRM, place, SA_RESTART);
  const itimerval often{{0, 500}, {0, 500}};
  CHECK(setitimer(ITIMER_REAL, &often, nullptr) == 0);
  while (handled < 200 && failures() == 0) CHECK(opens(place));
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  CHECK(handled >= 200 && opened == handled);
}

namespace {
struct Seen {
  int calls = 0;
  char name[32] = {};
  int error = 0;
  bool opened = false;
  const char* allowed = nullptr;
  const char* refused = nullptr;
} seen;

void note(const torno_trap* trap, void* user) {
  auto* into = static_cast<Seen*>(user);
  ++into->calls;
  std::strncpy(into->name, trap->name, sizeof into->name - 1);
  into->error = trap->error;
  // Calls of its own: one that works, and one that is refused and must not lead back in here.
  const int fd = open(into->allowed, O_RDONLY);
  into->opened = fd >= 0;
  if (fd >= 0) close(fd);
  CHECK_ERRNO(open(into->refused, O_RDONLY), EACCES);
}
}  // namespace

SEALED_SCENARIO(the_callback_names_refused_calls) {
  const std::string file = place.file();
  const std::string secret = place.secret();
  seen.allowed = file.c_str();
  seen.refused = secret.c_str();
  torno_on_trap(note, &seen);
  CHECK_ERRNO(open(secret.c_str(), O_RDONLY), EACCES);
  CHECK(seen.calls == 1 && std::strcmp(seen.name, "openat") == 0 && seen.error == EACCES);
  CHECK(seen.opened);
  CHECK_ERRNO(unlink(file.c_str()), EACCES);
  CHECK(seen.calls == 2 && std::strncmp(seen.name, "unlink", 6) == 0);
  char* const arguments[] = {nullptr};
  CHECK_ERRNO(execve("/bin/true", arguments, arguments), EACCES);
  CHECK(seen.calls == 3 && std::strcmp(seen.name, "execve") == 0 && seen.error == EACCES);
  CHECK_ERRNO(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM);
  CHECK(seen.calls == 4 && std::strcmp(seen.name, "ptrace") == 0 && seen.error == EPERM);
  // A missing file is no refusal.
  CHECK_ERRNO(open((place.allowed() + "/missing").c_str(), O_RDONLY), ENOENT);
  CHECK(seen.calls == 4);
  torno_on_trap(nullptr, nullptr);
  CHECK_ERRNO(open(secret.c_str(), O_RDONLY), EACCES);
  CHECK(seen.calls == 4);
}

SCENARIO(a_fifo_is_waited_for) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t writer = fork();
  if (writer == 0) {
    char byte;
    close(ends[1]);
    CHECK(read(ends[0], &byte, 1) == 1);
    const int fd = open(place.fifo().c_str(), O_WRONLY);
    _exit(write(fd, "x", 1) == 1 ? 0 : 1);
  }
  enter("test");
  // Without a writer: a signal ends the wait.
  handle(SIGALRM, place);
  signal_soon();
  CHECK_ERRNO(open(place.fifo().c_str(), O_RDONLY), EINTR);
  CHECK(opened == 1);
  // A handler that restarts calls does not.
  handle(SIGALRM, place, SA_RESTART);
  signal_soon();
  CHECK(write(ends[1], "x", 1) == 1);
  const int fd = open(place.fifo().c_str(), O_RDONLY);
  char byte = 0;
  CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x');
  int status = -1;
  while (waitpid(writer, &status, 0) < 0 && errno == EINTR) {
  }
  CHECK(status == 0);
}
