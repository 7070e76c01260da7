// Programs loaded into this kernel: they do there what the interpreter says.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "broker/filter/program.h"
#include "proto/wire.pb.h"
#include "tests/broker/filter/child.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

constexpr int kFine = 0;
constexpr int kWrong = 1;
constexpr int kNotLoaded = 99;

// The errno value that the call leaves under the policy, 0 when it succeeds; or how it died.
template <typename... Arguments>
std::string call_under(const std::string& text, long number, Arguments... arguments) {
  const auto program = compile_text(text);
  return in_child([&] {
    if (!load_filter(program)) return kNotLoaded;
    return ::syscall(number, arguments...) < 0 ? errno : kFine;
  });
}

TEST(Kernel, TakesEveryShapeOfProgram) {
  for (const char* text :
       {"", "unknown_syscall: UNKNOWN_KILL", "unknown_syscall: UNKNOWN_LOG",
        "limit { processes: 1 } executable_mappings: MAPPINGS_DENY",
        "syscall { name: \"write\" action: LOG }",
        "syscall { name: \"sync\" action: ALLOW arg { index: 5 op: GT value: 1 } }"}) {
    EXPECT_EQ(call_under(text, SYS_getpid), exited(kFine)) << text;
  }
}

TEST(Kernel, CallsAreAnsweredAsCompiled) {
  EXPECT_EQ(call_under("", SYS_getpid), exited(kFine));
  EXPECT_EQ(call_under("", SYS_io_uring_setup, 1, nullptr), exited(ENOSYS));
  EXPECT_EQ(call_under("", SYS_clone3, nullptr, 0), exited(ENOSYS));
  EXPECT_EQ(call_under("", 9999), exited(ENOSYS));
  EXPECT_EQ(call_under("", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), exited(EPERM));
  EXPECT_EQ(call_under("", SYS_close, 4095), exited(EBADF));
  EXPECT_EQ(call_under("limit { processes: 1 }", SYS_fork), exited(EAGAIN));
  EXPECT_EQ(call_under("unknown_syscall: UNKNOWN_KILL", 9999), killed_by(SIGSYS));
  EXPECT_EQ(call_under(R"(syscall { name: "getuid" action: KILL })", SYS_getuid),
            killed_by(SIGSYS));
}

// Without a handler a trap ends the process; with the sandboxee's it becomes a request.
TEST(Kernel, BrokeredCallsTrap) {
  EXPECT_EQ(in_child([] { return ::open("/", O_RDONLY) >= 0 ? kFine : kWrong; }), exited(kFine));
  EXPECT_EQ(call_under("", SYS_open, "/", O_RDONLY), killed_by(SIGSYS));
  EXPECT_EQ(call_under("", SYS_openat, AT_FDCWD, "/", O_RDONLY), killed_by(SIGSYS));
  EXPECT_EQ(call_under("", SYS_unlink, "/nonexistent"), killed_by(SIGSYS));
}

TEST(Kernel, MarkedCallsAreNative) {
  const auto reissue = [](std::uint64_t mark) { return call_under("", SYS_umask, mark | 022); };
  EXPECT_EQ(reissue(std::uint64_t{wire::REISSUE_MARK} << 32), exited(kFine));
  EXPECT_EQ(reissue(0), killed_by(SIGSYS));
}

TEST(Kernel, ExecutableMappingsAreRefusedWhereDenied) {
  const auto map = [](const std::string& text) {
    return call_under(text, SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  EXPECT_EQ(map(""), exited(kFine));
  EXPECT_EQ(map("executable_mappings: MAPPINGS_DENY"), exited(EACCES));
}

int getpid_by_int80() {
  long result = 20;  // getpid of i386
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result == ::getpid() ? kFine : kWrong;
}

TEST(Kernel, Int80Kills) {
  if (in_child(getpid_by_int80) != exited(kFine)) {
    GTEST_SKIP() << "this kernel has no 32-bit calls, so there is no attack to stop";
  }
  const auto program = compile_text("");
  EXPECT_EQ(in_child([&] { return load_filter(program) ? getpid_by_int80() : kNotLoaded; }),
            killed_by(SIGSYS));
}

TEST(Kernel, X32NumbersKill) {
  constexpr long kX32 = 0x4000'0000;
  EXPECT_EQ(call_under("", kX32 | SYS_getpid), killed_by(SIGSYS));
}

// The compiled program behind a few instructions that let the test start another image.
Instructions with_exec(const Instructions& program) {
  Instructions result = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_readlink, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_readlinkat, 0, 2),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOENT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  result.insert(result.end(), program.begin(), program.end());
  return result;
}

std::string run_static(const Instructions* program) {
  return in_child([&] {
    if (program != nullptr && !load_filter(*program)) return kNotLoaded;
    char path[] = TORNO_STATIC_PROGRAM;
    char* arguments[] = {path, nullptr};
    char* environment[] = {nullptr};
    ::execve(path, arguments, environment);
    return kWrong;
  });
}

// glibc's own start-up needs nothing but execve (and a link it can do without) beyond what the
// program allows: no handler is there to answer a trap.
TEST(Kernel, StaticGlibcStartsUnderTheProgram) {
  constexpr int kStaticProgramSays = 42;
  ASSERT_EQ(run_static(nullptr), exited(kStaticProgramSays));
  for (const char* text : {"", "limit { processes: 1 }", "executable_mappings: MAPPINGS_DENY"}) {
    const auto program = with_exec(compile_text(text));
    EXPECT_EQ(run_static(&program), exited(kStaticProgramSays)) << text;
  }
}

}  // namespace
}  // namespace torno::filter::test
