// SealedProcess: runs one scenario in a process of its own and tells how it ended.
#pragma once

#include <string>
#include <vector>

#include "tests/sandboxee/scenario.h"
#include "tests/support/temporary_directory.h"

namespace torno::test {

// A folder with the files that Place names.
class Playground {
 public:
  Playground();
  Place place() const { return Place{directory_.path()}; }
  // Policies "test" and "narrower" (which allows nothing of "writable").
  std::string policy_text() const;
  std::string narrower_policy_text() const;

 private:
  TemporaryDirectory directory_;
};

struct Outcome {
  int exit_status = -1;  // -1: ended by a signal
  int signal = 0;
  std::string errors;  // what it wrote to standard error
};

struct Circumstances {
  std::vector<std::string> environment;  // "NAME=VALUE", beside what the test has itself
  int broker_fd = -1;                    // becomes TORNO_FD
};

Outcome run_scenario(const std::string& name, const Place& place,
                     const Circumstances& circumstances);

// Passes when the scenario ended with status 0.
#define EXPECT_PASSES(outcome_)                                                  \
  do {                                                                           \
    const auto& o_ = (outcome_);                                                 \
    EXPECT_EQ(o_.exit_status, 0) << "signal " << o_.signal << "\n" << o_.errors; \
  } while (false)

}  // namespace torno::test
