// How a program ended: statuses of real processes, and the codes and lines made of them.
#include "broker/launch/ending.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace torno::launch {
namespace {

// Of a child that exits with `status`, or by `signal` if it is not 0.
int wait_status(int status, int signal) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0};  // no core files
    ::setrlimit(RLIMIT_CORE, &none);
    if (signal != 0) {
      ::signal(signal, SIG_DFL);
      ::kill(::getpid(), signal);
    }
    ::_exit(status);
  }
  int waited = 0;
  EXPECT_EQ(::waitpid(child, &waited, 0), child);
  return waited;
}

struct Told {
  int code;
  std::string line;
  bool operator==(const Told&) const = default;
};
void PrintTo(const Told& told, std::ostream* out) {
  *out << told.code << ": " << told.line;
}

Told told(const Ending& ending) {
  return {exit_code(ending), describe(ending)};
}

TEST(Ending, OfAProgramThatExits) {
  EXPECT_EQ(told(ending_of(wait_status(0, 0), {})), (Told{0, "ended with status 0"}));
  EXPECT_EQ(told(ending_of(wait_status(255, 0), {})), (Told{255, "ended with status 255"}));
}

TEST(Ending, OfAProgramThatASignalEnds) {
  EXPECT_EQ(told(ending_of(wait_status(0, SIGSEGV), {})),
            (Told{139, "ended by SIGSEGV (segmentation fault)"}));
  EXPECT_EQ(told(ending_of(wait_status(0, SIGXCPU), {})),
            (Told{152, "ended by SIGXCPU (CPU time limit exceeded)"}));
  EXPECT_EQ(told(ending_of(wait_status(0, SIGKILL), {})), (Told{137, "ended by SIGKILL (killed)"}));
  EXPECT_EQ(told(ending_of(wait_status(0, SIGSYS), {})),
            (Told{159, "ended by SIGSYS (bad system call, as one of another architecture)"}));
  EXPECT_EQ(told(ending_of(wait_status(0, 40), {})), (Told{168, "ended by signal 40"}));
}

TEST(Ending, SaysWhatTheLauncherKnows) {
  const int killed = wait_status(0, SIGKILL);
  EXPECT_EQ(told(ending_of(killed, {.time = "10s", .memory = {}, .refused_call = {}})),
            (Told{137, "ended by SIGKILL after its time of 10s was over"}));
  EXPECT_EQ(told(ending_of(killed, {.time = {}, .memory = "512M", .refused_call = {}})),
            (Told{137, "ended by SIGKILL when its memory of 512M was used up"}));
  const Ending refused = ending_of(
      killed, {.time = {}, .memory = {}, .refused_call = {"open", "\"/a\\x0a\n\", O_RDONLY"}});
  EXPECT_EQ(refused.how, How::kRefusedCall);
  EXPECT_EQ(told(refused),
            (Told{159, "ended by SIGSYS: refused call open(\"/a\\x0a\\x0a\", O_RDONLY)"}));
}

// A program may end by itself just when the launcher is about to kill it.
TEST(Ending, WhatDidNotEndItIsNotSaid) {
  const Known known{.time = "10s", .memory = "512M", .refused_call = {"openat", "..."}};
  EXPECT_EQ(ending_of(wait_status(3, 0), known).how, How::kExited);
  EXPECT_EQ(ending_of(wait_status(0, SIGSEGV), known).how, How::kSignalled);
  EXPECT_EQ(ending_of(wait_status(0, SIGSYS), {}).how, How::kSignalled);
  EXPECT_EQ(ending_of(wait_status(0, SIGSYS), known).how, How::kSignalled);
  EXPECT_EQ(ending_of(wait_status(0, SIGKILL), known).how, How::kTimedOut);
}

TEST(Ending, OfWhatWasNotStarted) {
  EXPECT_EQ(told(ending_of(NotStarted{NotStarted::kNotFound, "'x' was not found"})),
            (Told{127, "not started: 'x' was not found"}));
  EXPECT_EQ(told(ending_of(NotStarted{NotStarted::kNotExecutable, "'x' is a directory"})),
            (Told{126, "not started: 'x' is a directory"}));
  EXPECT_EQ(told(ending_of_failure("no broker")), (Told{125, "not started: no broker"}));
}

}  // namespace
}  // namespace torno::launch
