// Torno: start a program sealed, from within another program (C++23).
//
//     torno::Sandbox::Options options;
//     options.arguments = {"gzip", "-dc"};
//     options.input = options.output = torno::Sandbox::Stream::pipe();
//     auto sandbox = torno::Sandbox::start(options);
//     if (!sandbox) fail(sandbox.error().message);
//     ... write to sandbox->input(), read from sandbox->output() ...
//     const auto result = sandbox->wait();
//
// Link with -ltorno_sandbox (pkg-config torno-sandbox; CMake Torno::sandbox). Linux 5.19 or later
// on x86_64. What confines the program is what confines that of `torno run`; docs/embedding.md
// tells what the library does in the process that starts it. torno/spawn.h is the same for C.
#ifndef TORNO_SANDBOX_HPP
#define TORNO_SANDBOX_HPP

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torno {

// A sealed program, all it starts, and the broker that serves it, on threads of this process.
//
// Thread safety: several may be started and used at once. One is used by one thread at a time, but
// for signal() and kill(), which any thread may call while another one waits.
class [[gnu::visibility("default")]] Sandbox {
 public:
  // What the program has as standard input, output or error.
  struct Stream {
    enum class Kind {
      kInherit,  // this process's own
      kNull,     // /dev/null
      kPipe,     // a pipe, whose other end input(), output() or error() is
      kFd,       // a duplicate of `fd`, which stays the caller's
    };
    Kind kind = Kind::kInherit;
    int fd = -1;

    static Stream null() { return {Kind::kNull, -1}; }
    static Stream pipe() { return {Kind::kPipe, -1}; }
    static Stream of(int fd) { return {Kind::kFd, fd}; }
  };

  // Beside those of the policy: the smaller counts. What holds each is in docs/run.md, Limits.
  struct Limits {
    std::optional<std::uint64_t> memory;  // bytes
    std::optional<std::chrono::seconds> cpu_time;
    std::optional<std::chrono::seconds> wall_time;
    std::optional<std::uint32_t> processes;
    std::optional<std::uint32_t> open_files;  // 1 to 4032
    std::optional<std::uint64_t> file_size;   // bytes
  };

  struct Options {
    // The program, looked for along PATH where it has no '/', and its arguments.
    std::vector<std::string> arguments;
    // As those of `torno run`. Without any policy the shipped `base` holds.
    std::string policy_text;             // a policy itself; messages call it "<policy>"
    std::vector<std::string> policies;   // files (with a '/', or NAME.policy) or names
    std::vector<std::string> profiles;   // names, as "NO_NETWORK"
    std::vector<std::string> read;       // files or folders that may be read
    std::vector<std::string> write;      // and written
    std::vector<std::string> variables;  // "NAME=VALUE": what ${NAME} in a policy means
    // Of this process's environment the program gets what it would get of `torno run`; "NAME=VALUE"
    // sets a variable for it, "NAME" keeps this process's.
    std::vector<std::string> environment;
    Stream input;
    Stream output;
    Stream error;
    Limits limits;
  };

  enum class How {
    kExited,
    kSignalled,
    kTimedOut,     // its wall time was over
    kOutOfMemory,  // its memory was used up
    kRefusedCall,  // the policy kills for a call
    kNotStarted,   // the kernel did not execute it, or Torno itself failed
  };

  struct Result {
    How how = How::kNotStarted;
    int number = 0;             // the status it exited with, the signal, or exit_code
    int exit_code = 0;          // of `torno run`: the status, 128 + the signal, 125, 126 or 127
    std::string description;    // "ended by SIGSEGV (segmentation fault)"
    std::uint64_t denials = 0;  // calls that the policy refused
    std::vector<std::string> walls;   // that were in force: "SECCOMP", "LANDLOCK", ...
    std::vector<std::string> limits;  // what held them: "memory: cgroup v2"
  };

  // Why nothing was started: an errno value and a text without a newline at its end, a line for
  // each thing that is wrong in a policy ("FILE:LINE:COL: error: TEXT").
  struct Failure {
    // EINVAL: an option or the policy. ENOENT: no such program. ENOEXEC: it cannot be executed.
    // EBUSY: this process handles SIGURG. ENOMEM. EIO: all else, as what the kernel refused.
    int error = 0;
    std::string message;
  };

  // When this returns, the walls are up and the program is about to be executed. Reads the
  // environment; the working directory and the umask are those of the calling thread.
  static std::expected<Sandbox, Failure> start(const Options& options);

  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) noexcept;
  // Kills the program and all it started, where they are still there, and waits for them. A
  // broker's thread that a hung file system holds is waited for two seconds.
  ~Sandbox();

  // To poll for POLLIN: readable when the program has ended, and all it started. The Sandbox's.
  int fd() const;
  // The program's, as this process sees it. Waited for by the library, so do not wait for it.
  pid_t pid() const;

  // This process's ends of the pipes, blocking and closed by an exec; -1 where there is none. The
  // Sandbox closes them, unless they are taken. Close the input for the program to see its end.
  int input() const { return end(0); }
  int output() const { return end(1); }
  int error() const { return end(2); }
  int take_input() { return take_end(0); }
  int take_output() { return take_end(1); }
  int take_error() { return take_end(2); }
  void close_input();

  // Waits for the end; again and again it says the same. It does not read the pipes: a program
  // whose output nobody reads does not end.
  Result wait();
  // The same for a time; nothing when the program still runs then. Of 0 it does not wait.
  std::optional<Result> wait_for(std::chrono::milliseconds time);

  // Sends the program a signal; kill() ends it and all it started, by SIGKILL. Nothing happens once
  // it has ended.
  void signal(int number);
  void kill();

 private:
  struct State;
  explicit Sandbox(std::unique_ptr<State> state);
  int end(int number) const;
  int take_end(int number);
  std::unique_ptr<State> state_;
};

}  // namespace torno

#endif
