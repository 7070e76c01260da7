// torno status: of a free process, of one under a filter, and of one whose threads differ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <latch>
#include <thread>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// The tests may themselves run under filters, a container's say: what counts is the difference.
int filters_here() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "Seccomp_filters:") continue;
    int count = 0;
    status >> count;
    return count;
  }
  return -1;
}

// A filter that allows everything, for the calling thread alone.
bool confine_thread() {
  sock_filter allow{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  const sock_fprog program{1, &allow};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

Said status_of(pid_t pid) {
  return run_torno({"status", std::to_string(pid)});
}

std::string filter_words(int count) {
  return "filter, " + std::to_string(count) + (count == 1 ? " filter\n" : " filters\n");
}

TEST(Status, OfAFreeProcess) {
  const Said said = status_of(getpid());
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("process       " + std::to_string(getpid())));
  EXPECT_THAT(said.out, HasSubstr("uid " + std::to_string(geteuid())));
  EXPECT_THAT(said.out,
              HasSubstr("seccomp       " + (filters_here() == 0 ? std::string("off\n")
                                                                : filter_words(filters_here()))));
  EXPECT_THAT(said.out, HasSubstr("\nnamespaces    the same as yours\n"));
  for (const char* row : {"no_new_privs", "capabilities", "Landlock", "MDWE", "threads"}) {
    EXPECT_THAT(said.out, HasSubstr(std::string("\n") + row));
  }
}

TEST(Status, OfAProcessUnderAFilter) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const char word = confine_thread() ? 'y' : 'n';
    if (write(ready[1], &word, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char word = 0;
  EXPECT_EQ(read(ready[0], &word, 1), 1);
  EXPECT_EQ(word, 'y');

  const Said said = status_of(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("seccomp       " + filter_words(filters_here() + 1)));
  EXPECT_THAT(said.out, HasSubstr("no_new_privs  yes\n"));
}

TEST(Status, NamesAThreadThatIsConfinedOtherwise) {
  std::latch confined(1);
  std::latch finish(1);
  pid_t id = 0;
  bool done = false;
  std::thread other([&] {
    id = gettid();
    done = confine_thread();
    confined.count_down();
    finish.wait();
  });
  confined.wait();
  const Said said = status_of(getpid());
  finish.count_down();
  other.join();
  ASSERT_TRUE(done);
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("1 confined otherwise than the first:\n"));
  EXPECT_THAT(said.out, HasSubstr("\n  " + std::to_string(id)));
}

TEST(Status, AMissingProcessIsAnError) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const Said said = status_of(child);
  EXPECT_EQ(said.status, 2);
  EXPECT_EQ(said.err, "torno: error: there is no process " + std::to_string(child) +
                          ", or /proc hides it from this user\n");
}

TEST(Status, WhatIsNoNumberIsAnError) {
  for (const char* word : {"init", "0", "1x", "../1", "99999999999"}) {
    const Said said = run_torno({"status", word});
    EXPECT_EQ(said.status, 2) << word;
    EXPECT_THAT(said.err, HasSubstr("is no process number"));
    EXPECT_THAT(said.out, Not(HasSubstr("seccomp")));
  }
}

}  // namespace
}  // namespace torno::cli
