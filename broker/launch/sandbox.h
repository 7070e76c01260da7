// Sandbox: a program that runs confined from its first instruction, with its broker in this
// process.
//
// Thread safety: one Sandbox is used by one thread, but for signal() and kill(). A process may have
// many, and threads, children, signal handlers and a umask of its own: none of them is changed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/audit/audit.h"
#include "broker/base/error.h"
#include "broker/launch/ending.h"
#include "broker/launch/program.h"
#include "broker/launch/streams.h"
#include "broker/policy/policy.h"

namespace torno::launch {

struct Options {
  policy::PolicyPtr policy;
  Program program;
  std::vector<std::string> arguments;           // with the program's own name
  std::vector<std::string> environment;         // "NAME=VALUE"
  std::vector<std::string> policy_directories;  // which nobody inside may change
  // The library that seals the program with a trap filter as well (preload.h); empty: the notify
  // transport alone.
  std::string preload;
  mode_t umask = 022;
  Streams streams;  // empty: the caller's own
  audit::Format format = audit::Format::kText;
  int audit_fd = 2;
  // This process has no children but the Sandbox's, so it may take those that init would have ended
  // had it not been killed.
  bool adopt_orphans = false;
  // Where a backtrace of whoever crashes is written; the program is traced for it. -1: nowhere.
  int backtrace_fd = -1;
};

class Sandbox {
 public:
  // Starts the program: when this returns, its filter is in force, and it is about to be executed.
  static Result<Sandbox> start(Options options);
  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) = delete;
  // Kills everybody who is left.
  ~Sandbox();

  // Readable when the program has ended: then step() says how.
  int fd() const;
  // How the program ended; nothing while it runs. Everything it left running is dead by then.
  std::optional<Ending> step();
  // Waits for the end.
  Ending wait();

  // The walls that are in force, by their names in policies, beside "SECCOMP".
  std::vector<std::string> walls() const;
  // What holds each limit of the policy's: "memory: cgroup v2".
  std::vector<std::string> limits() const;
  // How its file calls were served: "trap" once the library says that it has sealed the program, so
  // this is the program's word; else "notify".
  const char* transport() const;
  // Calls that were refused. After the end.
  std::uint64_t denials() const;

  // The program's process, as it is numbered here.
  pid_t pid() const;

  // Sends the program a signal; nothing happens once it has ended.
  void signal(int number);
  // Kills it, and everything it started.
  void kill();

 private:
  struct State;
  explicit Sandbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace torno::launch
