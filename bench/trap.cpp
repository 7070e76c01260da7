#include "bench/trap.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace torno::bench {
namespace {

Answer g_answer = nullptr;

void on_sigsys(int, siginfo_t* info, void* context) {
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  TrappedCall call{info->si_syscall, nullptr, nullptr};
  if (call.nr == SYS_access) {
    call.path = reinterpret_cast<const char*>(registers[REG_RDI]);
  } else {
    call.path = reinterpret_cast<const char*>(registers[REG_RSI]);
    call.result = reinterpret_cast<void*>(registers[REG_RDX]);
  }
  registers[REG_RAX] = g_answer(call);
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

}  // namespace

void trap_calls(Answer answer) {
  g_answer = answer;
  struct sigaction action{};
  action.sa_sigaction = &on_sigsys;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGSYS, &action, nullptr) != 0) die("torno_bench: sigaction");

  // No test of the architecture: this measures, it confines nobody.
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_access, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
  };
  const sock_fprog filter = {sizeof program / sizeof program[0], program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("torno_bench: no_new_privs");
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
    die("torno_bench: seccomp");
  }
}

}  // namespace torno::bench
