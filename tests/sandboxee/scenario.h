// Scenarios: what runs inside the sandbox. Each is a function of this program's, run in a process
// of its own (`PROGRAM --scenario NAME DIRECTORY`), since there is no way out of a sandbox, and
// a sanitizer's run-time starts threads in a forked child. They use no GoogleTest: a failed CHECK
// is a line on standard error and exit status 1.
#pragma once

#include <cerrno>
#include <cstdio>
#include <string>

namespace torno::test {

// The files every scenario finds; policy "test" (sealed_process.cpp) is made for them.
struct Place {
  std::string directory;
  std::string allowed() const { return directory + "/allowed"; }    // READ
  std::string writable() const { return directory + "/writable"; }  // READ, WRITE, CREATE
  std::string sockets() const { return directory + "/sockets"; }    // connect
  std::string file() const { return allowed() + "/file"; }          // holds "hello"
  std::string link() const { return allowed() + "/link"; }          // to "file"
  std::string fifo() const { return writable() + "/fifo"; }
  std::string secret() const { return directory + "/denied/secret"; }
};

using ScenarioFunction = void (*)(const Place& place);

enum class Kind {
  kSealed,   // a test by itself: starts confined under policy "test" of a real tornod
  kEnters,   // the same, but calls enter() itself
  kSpecial,  // run by a TEST of its own, which says under which circumstances
};

struct Scenario {
  const char* name;
  ScenarioFunction function;
  Kind kind;
};

// Registered by the macros below, in the order of the files.
class Scenarios {
 public:
  static int add(const Scenario& scenario);
  static const Scenario* begin();
  static const Scenario* end();
};

// Confines the process or ends it with status 2.
void enter(const char* policy);

void check(bool good, const char* file, int line, const char* text, long value);
int failures();

// The exit status of a scenario that could not go on: the sandbox lets a process send no signal,
// not even to itself.
inline constexpr int kNoSignals = 77;
void send_self(int signal);

}  // namespace torno::test

#define TORNO_SCENARIO(name, kind)                                         \
  static void name(const torno::test::Place& place);                       \
  [[maybe_unused]] static const int name##_added =                         \
      torno::test::Scenarios::add({#name, name, torno::test::Kind::kind}); \
  static void name([[maybe_unused]] const torno::test::Place& place)

#define SEALED_SCENARIO(name) TORNO_SCENARIO(name, kSealed)
#define SCENARIO(name) TORNO_SCENARIO(name, kEnters)
#define SPECIAL_SCENARIO(name) TORNO_SCENARIO(name, kSpecial)

#define CHECK(condition)                                              \
  do {                                                                \
    errno = 0;                                                        \
    const bool good_ = static_cast<bool>(condition);                  \
    torno::test::check(good_, __FILE__, __LINE__, #condition, errno); \
  } while (false)

// `call` fails with errno `error`.
#define CHECK_ERRNO(call, error)                                                            \
  do {                                                                                      \
    errno = 0;                                                                              \
    const bool failed_ = (call) == -1;                                                      \
    torno::test::check(failed_&& errno == (error), __FILE__, __LINE__, #call " is " #error, \
                       errno);                                                              \
  } while (false)
