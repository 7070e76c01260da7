// A test in a process of its own, for what stays with a process for good: a filter, a dropped
// right.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace torno::test {

// `prepare` says whether it succeeded; what fails in `test` fails here as well.
template <typename Prepare, typename Test>
void in_a_child(const Prepare& prepare, const Test& test) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!prepare()) ::_exit(2);
    test();
    std::fflush(stdout);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace torno::test
