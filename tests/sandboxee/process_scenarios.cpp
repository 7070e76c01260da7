// Threads, small stacks, fork, vfork, posix_spawn.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <torno/torno.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

bool opens(const char* path) {
  const int fd = open(path, O_RDONLY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

int status_of(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A child on this process's memory; its status is 0 when it may open the one and not the other.
[[gnu::noinline]] pid_t vfork_and_open(const char* allowed, const char* refused) {
  const pid_t child = vfork();
  if (child == 0) _exit(opens(allowed) && !opens(refused) ? 0 : 1);
  return child;
}

// The same of a grandchild, whose parent too lives on this process's memory.
[[gnu::noinline]] pid_t vfork_twice_and_open(const char* allowed, const char* refused) {
  const pid_t child = vfork();
  if (child == 0) _exit(status_of(vfork_and_open(allowed, refused)));
  return child;
}

// Everything a mixed load does: each call has one right answer.
bool mixed_call(const Place& place, int turn) {
  struct stat status;
  char buffer[16];
  switch (turn % 6) {
    case 0:
      return opens(place.file().c_str());
    case 1:
      return stat(place.file().c_str(), &status) == 0 && status.st_size == 5;
    case 2:
      return readlink(place.link().c_str(), buffer, sizeof buffer) == 4;
    case 3:
      return access(place.secret().c_str(), R_OK) == -1 && errno == EACCES;
    case 4:
      return open(place.secret().c_str(), O_RDONLY) == -1 && errno == EACCES;
    default:
      return stat((place.allowed() + "/missing").c_str(), &status) == -1 && errno == ENOENT;
  }
}

bool mixed_calls(const Place& place, int count) {
  for (int i = 0; i < count; ++i) {
    if (!mixed_call(place, i)) return false;
  }
  return true;
}

void run_threads(int count, const Place& place, int calls) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] { good += mixed_calls(place, calls) ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == count);
}

int stress_calls() {
  const char* text = std::getenv("TORNO_STRESS_CALLS");
  return text != nullptr ? std::atoi(text) : 2000;
}

struct Work {
  std::string path;
  std::string refused;
  bool alternate_stack;
  std::atomic<int> opened{0};
};

void open_again(const torno_trap*, void* user) {
  auto* work = static_cast<Work*>(user);
  work->opened += opens(work->path.c_str()) ? 1 : 0;
}

void* open_on_small_stack(void* argument) {
  auto* work = static_cast<Work*>(argument);
  stack_t stack{};
  stack.ss_size = 16384;
  if (work->alternate_stack) {
    stack.ss_sp = std::malloc(stack.ss_size);
    sigaltstack(&stack, nullptr);
  }
  work->opened += opens(work->path.c_str()) ? 1 : 0;
  opens(work->refused.c_str());  // its callback opens a file on top of this
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  std::free(stack.ss_sp);
  return nullptr;
}

}  // namespace

SEALED_SCENARIO(eight_threads_call_at_once) {
  run_threads(8, place, 100);
}

SEALED_SCENARIO(more_threads_than_channels) {
  run_threads(100, place, 10);
}

SEALED_SCENARIO(small_stacks_are_enough) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const auto smallest = static_cast<std::size_t>(sysconf(_SC_THREAD_STACK_MIN));
  CHECK(pthread_attr_setstacksize(&attributes, std::max<std::size_t>(16384, smallest)) == 0);
  for (const bool alternate_stack : {false, true}) {
    Work work;
    work.path = place.file();
    work.refused = place.secret();
    work.alternate_stack = alternate_stack;
    torno_on_trap(open_again, &work);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, open_on_small_stack, &work) == 0);
    CHECK(pthread_join(thread, nullptr) == 0);
    CHECK(work.opened == 2);
    torno_on_trap(nullptr, nullptr);
  }
}

SEALED_SCENARIO(forked_children_have_channels_of_their_own) {
  CHECK(opens(place.file().c_str()));
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(mixed_calls(place, 60) ? 0 : 1);
    children.push_back(child);
  }
  CHECK(mixed_calls(place, 60));
  for (const pid_t child : children) CHECK(status_of(child) == 0);
  // And their children.
  const pid_t child = fork();
  if (child == 0) {
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(mixed_calls(place, 12) ? 0 : 1);
    _exit(mixed_calls(place, 12) && status_of(grandchild) == 0 ? 0 : 1);
  }
  CHECK(status_of(child) == 0);
}

SEALED_SCENARIO(forks_while_threads_call) {
  std::atomic<bool> stop{false};
  std::atomic<bool> good{true};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        if (!mixed_calls(place, 6)) good = false;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(opens(place.file().c_str()) && !opens(place.secret().c_str()) ? 0 : 1);
    CHECK(status_of(child) == 0);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(good);
}

SEALED_SCENARIO(a_vfork_child_opens_on_its_parents_memory) {
  const std::string file = place.file();
  const std::string secret = place.secret();
  for (int i = 0; i < 20; ++i) {
    CHECK(status_of(vfork_and_open(file.c_str(), secret.c_str())) == 0);
    CHECK(opens(file.c_str()));
  }
}

// A new process on whose memory `vforked` comes first. What the library remembers is the process's
// own again after that: the umask is followed.
bool gets_its_memory_back(const Place& place, pid_t (*vforked)(const char*, const char*)) {
  const std::string file = place.file();
  const std::string secret = place.secret();
  const pid_t child = fork();
  if (child == 0) {
    const bool good = status_of(vforked(file.c_str(), secret.c_str())) == 0;
    umask(077);
    const int fd = open((place.writable() + "/made").c_str(), O_CREAT | O_WRONLY, 0666);
    struct stat status{};
    const bool follows = fstat(fd, &status) == 0 && (status.st_mode & 0777) == 0600;
    _exit(good && follows && mixed_calls(place, 12) ? 0 : 1);
  }
  return status_of(child) == 0;
}

// Who takes the grandchild for a new process closes the channels of threads that are inside calls.
SEALED_SCENARIO(a_vfork_child_that_vforks_beside_threads) {
  const std::string file = place.file();
  const std::string secret = place.secret();
  std::atomic<bool> stop{false};
  std::atomic<bool> good{true};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        if (!opens(file.c_str())) good = false;
      }
    });
  }
  for (int i = 0; i < 300; ++i) {
    CHECK(status_of(vfork_twice_and_open(file.c_str(), secret.c_str())) == 0);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(good);
}

// The grandchild comes first to the memory of a new process, which gets it back.
SEALED_SCENARIO(a_child_that_vforks_twice_first_thing) {
  CHECK(gets_its_memory_back(place, vfork_twice_and_open));
}

SEALED_SCENARIO(posix_spawn_fails_and_nothing_dies) {
  char program[] = "/bin/true";
  char* const arguments[] = {program, nullptr};
  pid_t child;
  CHECK(posix_spawn(&child, program, nullptr, nullptr, arguments, environ) == EACCES);
  CHECK(std::system("true") != 0);
  CHECK(opens(place.file().c_str()));
}

SEALED_SCENARIO(a_child_that_vforks_first_thing) {
  CHECK(gets_its_memory_back(place, vfork_and_open));
}

// TORNO_STRESS_CALLS calls in each of eight threads, with children in between.
SCENARIO(mixed_load) {
  const int calls = stress_calls();  // before TORNO_* leaves the environment
  enter("test");
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&place, &good, calls] {
      for (int done = 0; done < calls; done += 250) {
        if (!mixed_calls(place, std::min(250, calls - done))) return;
        const pid_t child = fork();
        if (child == 0) _exit(opens(place.file().c_str()) ? 0 : 1);
        if (status_of(child) != 0) return;
      }
      ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 8);
}
