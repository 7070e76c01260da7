#include "tests/sandboxee/scenario.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace torno::test {
namespace {

constexpr int kMaxScenarios = 200;
Scenario scenarios[kMaxScenarios];
int count = 0;
int failed = 0;

int run_scenario(const char* name, const char* directory) {
  for (const Scenario* scenario = Scenarios::begin(); scenario != Scenarios::end(); ++scenario) {
    if (std::strcmp(scenario->name, name) != 0) continue;
    if (scenario->kind == Kind::kSealed) enter("test");
    scenario->function(Place{directory});
    return failed == 0 ? 0 : 1;
  }
  std::fprintf(stderr, "no scenario %s\n", name);
  return 2;
}

}  // namespace

int Scenarios::add(const Scenario& scenario) {
  if (count == kMaxScenarios) std::abort();
  scenarios[count] = scenario;
  return count++;
}
const Scenario* Scenarios::begin() {
  return scenarios;
}
const Scenario* Scenarios::end() {
  return scenarios + count;
}

void enter(const char* policy) {
  char error[TORNO_ERROR_SIZE];
  if (torno_enter(policy, 0, error, sizeof error) == 0) return;
  std::fprintf(stderr, "torno_enter: %s\n", error);
  _exit(2);
}

void send_self(int signal) {
  if (raise(signal) != 0) _exit(failed == 0 ? kNoSignals : 1);
}

void check(bool good, const char* file, int line, const char* text, long value) {
  if (good) return;
  failed = failed + 1;
  dprintf(STDERR_FILENO, "%s:%d: CHECK(%s), errno %ld\n", file, line, text, value);
}

int failures() {
  return failed;
}

}  // namespace torno::test

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--scenario") == 0) {
    const int status = torno::test::run_scenario(argv[2], argv[3]);
    std::fflush(stderr);
    // Not exit: LeakSanitizer stops the world with a traced clone, which no sandbox permits.
    _exit(status);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
