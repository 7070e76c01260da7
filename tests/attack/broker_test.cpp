// The broker itself as the target: its memory, its life, its policies, a wider session.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

#include "broker/base/fd.h"
#include "tests/attack/scene.h"
#include "tests/support/raw_peer.h"

namespace torno::test {
namespace {

// A process that waits to be attacked, as the positive control; ended by its owner.
class Victim {
 public:
  Victim() {
    pid_ = ::fork();
    if (pid_ == 0) {
      for (;;) ::pause();
    }
  }
  ~Victim() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

int g_mark = 4711;

// Reads one int of another process that was forked from this one, at an address both know.
bool reads_memory(pid_t pid) {
  int copy = 0;
  const iovec local{&copy, sizeof copy};
  const iovec remote{&g_mark, sizeof g_mark};
  return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == sizeof copy;
}

bool traces(pid_t pid) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return false;
  ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  return true;
}

bool takes_descriptor(pid_t pid) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return pidfd >= 0 && ::syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0;
}

bool signals(pid_t pid) {
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return ::kill(pid, SIGCONT) == 0 || ::syscall(SYS_tgkill, pid, pid, SIGCONT) == 0 ||
         ::syscall(SYS_tkill, pid, SIGCONT) == 0 ||
         ::syscall(SYS_rt_sigqueueinfo, pid, SIGCONT, &info) == 0 ||
         ::syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGCONT, &info) == 0 ||
         (pidfd >= 0 && ::syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, nullptr, 0) == 0);
}

bool limits(pid_t pid) {
  const rlimit limit{64, 64};
  const cpu_set_t all = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return set;
  }();
  return ::syscall(SYS_prlimit64, pid, RLIMIT_CORE, &limit, nullptr) == 0 ||
         ::sched_setaffinity(pid, sizeof all, &all) == 0;
}

using OnProcess = bool (*)(pid_t);

void expect_out_of_reach(OnProcess attack) {
  const Scene scene;
  const Victim victim;
  const pid_t pid = victim.pid();
  EXPECT_EQ(scene.free([=] { return attack(pid); }), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed([=] { return attack(pid); }), Ended::kRefused);
  const pid_t broker = scene.broker_pid();
  EXPECT_EQ(scene.sealed([=] { return attack(broker); }), Ended::kRefused);
}

TEST(AttackBroker, ProcessVmReadv) {
  expect_out_of_reach(reads_memory);
}
TEST(AttackBroker, Ptrace) {
  expect_out_of_reach(traces);
}
TEST(AttackBroker, PidfdGetfd) {
  expect_out_of_reach(takes_descriptor);
}
TEST(AttackBroker, Signals) {
  expect_out_of_reach(signals);
}
TEST(AttackBroker, LimitsAndAffinity) {
  expect_out_of_reach(limits);
}

// A sealed worker must not become a new client of the broker under a policy that allows more. It
// can make no SOCK_SEQPACKET socket, but may have had one, and asks for the connection by the rule
// that allows every unix socket.
class AttackSecondSession : public testing::Test {
 protected:
  static int connect_to(int socket, const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    return ::connect(socket, generic, sizeof address) == 0 ? 0 : errno;
  }
  static bool opens_inherited() {
    inherited_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return inherited_ >= 0;
  }
  // Becomes a client that gets "wide".
  static bool is_welcomed(const std::string& path) {
    if (connect_to(inherited_, path) != 0) return false;
    const RawPeer peer{Fd(inherited_)};
    const auto answer = peer.hello("wide");
    return answer && answer->message.has_welcome();
  }

  const Scene scene_{"include: \"base\"\nconnect { unix: \"/**\" }\n"};
  const std::string socket_ = scene_.broker().socket_path();
  static int inherited_;
};

int AttackSecondSession::inherited_ = -1;

TEST_F(AttackSecondSession, OverASocketFromBeforeTheSeal) {
  std::ofstream(scene_.broker().policy_directory() + "/wide.policy")
      << "file { path: \"/**\" allow: [READ, WRITE, CREATE] }\n";
  const Attack attack = [this] { return is_welcomed(socket_); };
  EXPECT_EQ(scene_.free([&] { return opens_inherited() && attack(); }), Ended::kSucceeded);
  EXPECT_EQ(scene_.sealed(attack, opens_inherited), Ended::kRefused);
  // Not by the filter, which passes connect on.
  EXPECT_TRUE(scene_.broker().wait_for_log("denied connect CONNECT socket of another kind: EACCES"))
      << scene_.broker().log();
}

// The kernel connects no stream socket to the broker's; that it would be EPROTOTYPE shows who
// refused. By the broker's own path, and by other names of the same socket.
TEST_F(AttackSecondSession, ByAnyNameOfTheBrokersSocket) {
  const std::string link = scene_.path("allowed/broker.sock");
  const std::string hard_link = scene_.path("writable/broker.sock");
  ASSERT_EQ(::symlink(socket_.c_str(), link.c_str()), 0);
  ASSERT_EQ(::link(socket_.c_str(), hard_link.c_str()), 0);
  for (const std::string& path : {socket_, link, hard_link}) {
    const auto error_is = [path](int error) {
      return Attack([=] {
        return connect_to(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), path) == error;
      });
    };
    EXPECT_EQ(scene_.free(error_is(EPROTOTYPE)), Ended::kSucceeded) << path;
    EXPECT_EQ(scene_.sealed(error_is(EACCES)), Ended::kSucceeded) << path;
    const std::string leads_to = path == link ? socket_ : path;
    EXPECT_TRUE(scene_.broker().wait_for_log("denied connect CONNECT unix:" + leads_to)) << path;
  }
  // The rule itself works.
  const std::string elsewhere = scene_.path("writable/server.sock");
  const Fd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, elsewhere.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(server.get(), 8), 0);
  EXPECT_EQ(scene_.sealed([=] {
    return connect_to(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), elsewhere) == 0;
  }),
            Ended::kSucceeded);
}

// Writing a policy is writing one's own permission. The rule allows the whole tree.
TEST(AttackBroker, PolicyDirectory) {
  const Scene scene("include: \"base\"\nfile { path: \"/**\" allow: [READ, WRITE, CREATE] }\n");
  const std::string fresh = scene.broker().policy_directory() + "/wide.policy";
  const std::string old = scene.broker().policy_directory() + "/scene.policy";
  const Attack attack = [=] {
    return ::open(fresh.c_str(), O_WRONLY | O_CREAT, 0600) >= 0 ||
           ::open(old.c_str(), O_WRONLY) >= 0 || ::open(old.c_str(), O_RDONLY | O_TRUNC) >= 0;
  };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  ::unlink(fresh.c_str());
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
  // The policy itself works: another file of the tree can be written.
  const std::string elsewhere = scene.path("secret/key");
  EXPECT_EQ(scene.sealed([=] { return ::open(elsewhere.c_str(), O_WRONLY) >= 0; }),
            Ended::kSucceeded);
}

// The same through a symlink made by somebody else.
TEST(AttackBroker, PolicyFileByAnotherName) {
  const Scene scene(
      "include: \"base\"\nfile { path: \"$ROOT/**\" allow: [READ, WRITE, CREATE] }\n");
  const std::string directory = scene.broker().policy_directory();
  const std::string link = scene.path("writable/directory");
  ASSERT_EQ(::symlink(directory.c_str(), link.c_str()), 0);
  const std::string path = link + "/scene.policy";
  const Attack attack = [=] { return ::open(path.c_str(), O_WRONLY) >= 0; };
  EXPECT_EQ(scene.free(attack), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed(attack), Ended::kRefused);
}

// The same by a hard link made by somebody else, which no name betrays.
TEST(AttackBroker, PolicyFileByAHardLink) {
  const Scene scene(
      "include: \"base\"\nfile { path: \"$ROOT/**\" allow: [READ, WRITE, CREATE] }\n");
  const std::string policy = scene.broker().policy_directory() + "/scene.policy";
  const std::string innocent = scene.path("writable/innocent");
  const std::string link = scene.path("writable/link");
  ASSERT_EQ(::link(scene.path("secret/key").c_str(), innocent.c_str()), 0);
  ASSERT_EQ(::link(policy.c_str(), link.c_str()), 0);
  const auto writes = [](const std::string& path) {
    return ::open(path.c_str(), O_WRONLY) >= 0 || ::open(path.c_str(), O_RDWR | O_CREAT, 0600) >= 0;
  };
  EXPECT_EQ(scene.free([&] { return writes(link); }), Ended::kSucceeded);
  EXPECT_EQ(scene.sealed([&] { return writes(link); }), Ended::kRefused);
  EXPECT_EQ(scene.sealed([&] { return writes(innocent); }), Ended::kSucceeded);
}

}  // namespace
}  // namespace torno::test
