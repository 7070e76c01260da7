// What only a launched program could attack: the launcher and its init, what it was started with,
// other programs in its place, and a life beyond the launcher's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "tests/attack/scene.h"
#include "tests/support/processes.h"

namespace torno::test {
namespace {

int g_mark = 4711;

bool reads_memory(pid_t process) {
  int copy = 0;
  const iovec here{&copy, sizeof copy};
  const iovec there{&g_mark, sizeof g_mark};
  const std::string path = "/proc/" + std::to_string(process) + "/mem";
  return ::process_vm_readv(process, &here, 1, &there, 1, 0) > 0 ||
         ::open(path.c_str(), O_RDONLY) >= 0;
}

bool traces(pid_t process) {
  if (::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) != 0) return false;
  ::ptrace(PTRACE_DETACH, process, nullptr, nullptr);
  return true;
}

bool takes_descriptor(pid_t process) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  return pidfd >= 0 && ::syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0;
}

bool signals(pid_t process) {
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  return ::kill(process, SIGCONT) == 0 || ::syscall(SYS_tgkill, process, process, SIGCONT) == 0 ||
         ::syscall(SYS_tkill, process, SIGCONT) == 0 ||
         ::syscall(SYS_rt_sigqueueinfo, process, SIGCONT, &info) == 0 ||
         ::syscall(SYS_rt_tgsigqueueinfo, process, process, SIGCONT, &info) == 0;
}

bool limits(pid_t process) {
  const rlimit limit{64, 64};
  return ::syscall(SYS_prlimit64, process, RLIMIT_CORE, &limit, nullptr) == 0;
}

// The parent within the sandbox is init; outside, where the control runs, it is the test.
TEST(AttackLauncher, InitAndLauncherAsTargets) {
  const Scene scene("include: \"base\"\nfile { path: \"/proc/**\" allow: [READ, WRITE] }\n");
  for (bool (*const attack)(pid_t) : {reads_memory, traces, takes_descriptor, signals, limits}) {
    EXPECT_EQ(scene.free([=] { return attack(::getppid()); }), Ended::kSucceeded);
    EXPECT_EQ(scene.confined([=] { return attack(::getppid()); }), Ended::kRefused);
    EXPECT_EQ(scene.confined([=] { return attack(Scene::launcher()); }), Ended::kRefused);
  }
}

TEST(AttackLauncher, SignalsToTheGroupOfItsParent) {
  const Scene scene;
  const Attack attack = [] { return ::kill(-::getpgid(::getppid()), 0) == 0; };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.confined(attack), Ended::kRefused);
}

TEST(AttackLauncher, ASiblingAsATarget) {
  const Scene scene;
  const Attack attack = [] {
    const pid_t sibling = ::fork();
    if (sibling == 0) {
      for (;;) ::pause();
    }
    const bool reached = traces(sibling) || takes_descriptor(sibling) || reads_memory(sibling);
    ::kill(sibling, SIGKILL);  // as a control; init does it else
    return reached;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.confined(attack), Ended::kRefused);
}

TEST(AttackLauncher, InheritedDescriptors) {
  const Scene scene;
  constexpr int kInherited = 200;
  const Attack attack = [] { return reads_secret(kInherited); };
  ASSERT_TRUE(Scene::prepare([&] {
    const int key = ::open(scene.path("secret/key").c_str(), O_RDONLY | O_CLOEXEC);
    return ::dup2(key, kInherited) == kInherited && ::close(key) == 0;
  }));
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  ::lseek(kInherited, 0, SEEK_SET);
  EXPECT_EQ(scene.confined(attack), Ended::kRefused);
  ::close(kInherited);
}

// The status of a child that executes, as it is told.
template <typename Execute>
int status_of(Execute execute) {
  const pid_t child = ::fork();
  if (child == 0) {
    execute();
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

char* g_arguments[] = {const_cast<char*>("program"), const_cast<char*>("/bin/true"), nullptr};
char* g_none[] = {nullptr};

// The policy lets one program be executed, so that only what it says stands in the way.
constexpr char kOneProgram[] = R"(
include: "base"
file { path: "$ROOT/allowed/**" allow: READ }
file { path: "/usr/bin/true" allow: READ }
file { path: "/usr/bin/false" allow: [READ, EXECUTE] }
)";

TEST(AttackLauncher, ProgramsWithoutARule) {
  const Scene scene(kOneProgram);
  const Attack by_name = [] {
    return status_of([] { ::execve("/bin/true", g_arguments, g_none); }) == 0;
  };
  const Attack by_descriptor = [] {
    const int file = ::open("/usr/bin/true", O_RDONLY);
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    return status_of([&] {
             ::syscall(SYS_execveat, file, "", g_arguments, g_none, AT_EMPTY_PATH);
             ::execve(path.c_str(), g_arguments, g_none);
           }) == 0;
  };
  const Attack by_memory = [] {
    const int file = ::open("/usr/bin/true", O_RDONLY);
    const int image = ::memfd_create("image", 0);
    std::array<char, 65536> block;
    for (ssize_t size; (size = ::read(file, block.data(), block.size())) > 0;) {
      if (::write(image, block.data(), static_cast<std::size_t>(size)) != size) return false;
    }
    const std::string path = "/proc/self/fd/" + std::to_string(image);
    return status_of([&] {
             ::syscall(SYS_execveat, image, "", g_arguments, g_none, AT_EMPTY_PATH);
             ::execve(path.c_str(), g_arguments, g_none);
           }) == 0;
  };
  for (const Attack& attack : {by_name, by_descriptor, by_memory}) {
    EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
    EXPECT_EQ(scene.confined(attack), Ended::kRefused);
  }
  // The rule itself works.
  EXPECT_EQ(scene.confined([] {
    return status_of([] { ::execve("/usr/bin/false", g_arguments, g_none); }) == 1;
  }),
            Ended::kSucceeded);
}

// A set-user-ID program gets nothing for it.
TEST(AttackLauncher, NoNewPrivileges) {
  const Scene scene;
  const Attack attack = [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0; };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.confined(attack), Ended::kRefused);
}

// The file that was looked at is not the one that the kernel finds: it is Landlock's EXECUTE right
// that holds.
TEST(AttackLauncher, FileSwappedWhileItsExecIsVetted) {
  const Scene scene(R"(
include: "base"
file { path: "$ROOT/writable/raced" allow: [READ, EXECUTE] }
)");
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1 && Scene::launcher() == 0) {
    GTEST_SKIP() << "this kernel has no Landlock";
  }
  const std::string raced = scene.path("writable/raced");
  const std::string other = scene.path("writable/other");
  pid_t swapper = -1;
  ASSERT_TRUE(Scene::prepare([&] {
    std::filesystem::copy_file("/usr/bin/true", raced);
    std::filesystem::copy_file("/usr/bin/false", other);
    return true;
  }));
  const auto start_swapping = [&] {
    swapper = ::fork();
    if (swapper == 0) {
      for (;;) ::renameat2(AT_FDCWD, raced.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    }
    return swapper > 0;
  };
  const auto execute = [&] {
    return status_of([&] { ::execve(raced.c_str(), g_arguments, g_none); });
  };
  constexpr int kForbidden = 1;
  const auto runs_forbidden = [&](int rounds) {
    return Attack([=] {
      for (int i = 0; i < rounds; ++i) {
        if (execute() == kForbidden) return true;
      }
      return false;
    });
  };
  // The launcher takes what it may execute from the file that lies there when it starts, and the
  // swapping begins with the program.
  const Attack attack = [&] {
    (void)!::write(STDIN_FILENO, "x", 1);
    return runs_forbidden(race_rounds() / 20)();
  };
  int ends[2] = {-1, -1};
  ASSERT_TRUE(Scene::prepare([&] {
    return ::pipe2(ends, O_CLOEXEC) == 0 && ::dup2(ends[1], STDIN_FILENO) == STDIN_FILENO;
  }));
  pid_t starter = -1;
  ASSERT_TRUE(Scene::prepare([&] {
    starter = ::fork();
    if (starter == 0) {
      char byte = 0;
      (void)!::read(ends[0], &byte, 1);
      for (;;) ::renameat2(AT_FDCWD, raced.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    }
    return starter > 0;
  }));
  EXPECT_EQ(scene.confined(attack), Ended::kRefused);
  EXPECT_TRUE(Scene::prepare([&] {
    ::kill(starter, SIGKILL);
    ::waitpid(starter, nullptr, 0);
    return start_swapping();
  }));
  EXPECT_EQ(scene.free(runs_forbidden(100'000)), Ended::kSucceeded);
  if (swapper > 0) {
    ::kill(swapper, SIGKILL);
    ::waitpid(swapper, nullptr, 0);
  }
}

// Everybody who was started holds an end of a pipe, which is standard input here.
TEST(AttackLauncher, NobodyOutlivesAKilledLauncher) {
  const Scene scene;
  const Attack attack = [] {
    for (int i = 0; i < 3; ++i) {
      if (::fork() == 0) ::setsid();
    }
    (void)!::write(STDIN_FILENO, "x", 1);
    for (;;) ::pause();
    return true;
  };
  int ends[2] = {-1, -1};
  ASSERT_TRUE(Scene::prepare([&] { return ::pipe2(ends, O_CLOEXEC) == 0; }));
  const pid_t launcher = Scene::launcher() == 0 ? fork_alone() : 0;
  if (launcher == 0) {
    if (Scene::launcher() == 0) {
      ::dup2(ends[1], STDIN_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
    }
    scene.confined(attack);
    ::_exit(0);
  }
  ::close(ends[1]);
  char byte = 0;
  for (int i = 0; i < 8; ++i) ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  ::kill(launcher, SIGKILL);
  ::waitpid(launcher, nullptr, 0);
  // The end of the file comes with the end of the last of them.
  pollfd end{ends[0], POLLIN, 0};
  EXPECT_TRUE(eventually([&] { return ::poll(&end, 1, 0) == 1; })) << "somebody is left";
  ::close(ends[0]);
}

}  // namespace
}  // namespace torno::test
