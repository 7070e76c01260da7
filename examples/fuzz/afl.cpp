// The same for AFL++, in persistent mode, the input in shared memory.
//
// The seal comes after __AFL_INIT, so in each child of the fork server: shared memory is mapped by
// then, the server needs no calls that the filter refuses, and what takes over a child reaches
// neither the server nor its pipes. A child decodes 100,000 inputs, and is sealed once.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "examples/fuzz/decode.h"
#ifndef UNSEALED
#include <torno/torno.h>
#endif

// What __AFL_LOOP is made of.
#pragma clang diagnostic ignored "-Wgnu-statement-expression"

__AFL_FUZZ_INIT();

namespace {

// Many, since each child costs a seal; few enough for what a decoder may leak.
constexpr unsigned kInputsAChild = 100'000;

#ifdef UNSEALED
void seal() {}
#else
[[noreturn]] void fail(const char* message) {
  std::fprintf(stderr, "torno-png-afl: error: %s\n", message);
  std::exit(1);  // never go on unconfined
}

void seal() {
  // afl-fuzz hands its input file on open for writing, and a descriptor stays what it is.
  const int input = open("/dev/stdin", O_RDONLY | O_CLOEXEC);
  if (input < 0 || dup2(input, STDIN_FILENO) < 0) fail("cannot open standard input for reading");
  close(input);
  char error[TORNO_ERROR_SIZE];
  if (torno_enter(TORNO_FUZZ_POLICY, 0, error, sizeof error) != 0) fail(error);
}
#endif

// Between two inputs a child stops itself with a signal. Sealed it may send one only where Landlock
// keeps signals inside the sandbox (Linux 6.12); elsewhere every input has a child of its own.
bool can_stop() {
  return kill(getpid(), 0) == 0;
}

}  // namespace

int main() {
  __AFL_INIT();
  seal();
  const unsigned inputs = can_stop() ? kInputsAChild : 1;
  const unsigned char* const input = __AFL_FUZZ_TESTCASE_BUF;
  while (__AFL_LOOP(inputs)) {
    torno::examples::decode({input, static_cast<std::size_t>(__AFL_FUZZ_TESTCASE_LEN)});
  }
  return 0;
}
