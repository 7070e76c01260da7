#include "bench/notify_floor.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "broker/base/fd.h"

namespace torno::bench {
namespace {

constexpr unsigned kWaitKillable = 1U << 5;                       // Linux 5.19
constexpr unsigned long kSetFlags = _IOW('!', 4, std::uint64_t);  // Linux 6.6
constexpr std::uint64_t kSyncWakeUp = 1;
constexpr std::size_t kPage = 4096;

// As the broker's policies have it: the thread that calls stays on its way until it is answered.
int install_filter() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                  SECCOMP_FILTER_FLAG_NEW_LISTENER | kWaitKillable, &program));
}

void answer(int listener, const seccomp_notif& call) {
  std::array<char, kPage> path;
  const std::uint64_t address = call.data.args[1];
  const std::size_t size = std::min<std::size_t>(256, kPage - address % kPage);
  iovec here{path.data(), size};
  iovec there{reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)), size};
  process_vm_readv(static_cast<pid_t>(call.pid), &here, 1, &there, 1, 0);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) != 0) return;
  const Fd file(open(path.data(), static_cast<int>(call.data.args[2]) | O_CLOEXEC));
  if (!file) {
    seccomp_notif_resp failed{call.id, 0, -errno, 0};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &failed);
    return;
  }
  seccomp_notif_addfd add{};
  add.id = call.id;
  add.flags = SECCOMP_ADDFD_FLAG_SEND;
  add.srcfd = static_cast<std::uint32_t>(file.get());
  add.newfd_flags = O_CLOEXEC;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
}

// Until the program has ended; its status. Old kernels let receiving wait for ever then, so the
// program's end interrupts it.
int serve(int listener, pid_t program) {
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  sigaction(SIGCHLD, &nothing, nullptr);
  ioctl(listener, kSetFlags, kSyncWakeUp);
  for (;;) {
    seccomp_notif call{};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0) {
      answer(listener, call);
      continue;
    }
    int status = -1;
    if (waitpid(program, &status, WNOHANG) == program) return status;
  }
}

}  // namespace

bool run_under_floor(const std::vector<std::string>& command) {
  int say[2];
  int go_on[2];
  if (pipe2(say, O_CLOEXEC) != 0 || pipe2(go_on, O_CLOEXEC) != 0) return false;
  const Fd heard(say[0]);
  Fd said(say[1]);
  Fd held(go_on[0]);
  Fd released(go_on[1]);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    released.reset();
    const int listener = install_filter();
    char byte = 0;
    if (write(said.get(), &listener, sizeof listener) > 0 && read(held.get(), &byte, 1) == 0) {
      execv(words[0], words.data());
    }
    _exit(1);
  }
  int number = -1;
  const bool started = child > 0 && read(heard.get(), &number, sizeof number) == sizeof number;
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  const Fd listener(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
  released.reset();
  return started && listener && serve(listener.get(), child) == 0;
}

}  // namespace torno::bench
