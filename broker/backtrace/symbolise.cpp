#include "broker/backtrace/symbolise.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <span>
#include <sstream>

#include "broker/base/error.h"

namespace torno::backtrace {
namespace {

using Clock = std::chrono::steady_clock;

// Large programs have much to read, and somebody waits.
constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMostOutput = std::size_t{64} << 10;
constexpr std::size_t kMostLine = 400;
// Above all descriptors that the helper gets, so that none takes another's place.
constexpr int kAside = kFirstModuleFd + static_cast<int>(kMostModules);

std::vector<std::string> none(const std::string& why) {
  return {"no backtrace: " + why};
}

// Beside this program, as it is built, or where it is installed.
std::string helper() {
  std::array<char, PATH_MAX> own;
  const ssize_t size = ::readlink("/proc/self/exe", own.data(), own.size());
  std::string beside(own.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  beside.erase(beside.rfind('/') + 1);
  beside += "torno-backtrace";
  return ::access(beside.c_str(), X_OK) == 0 ? beside : TORNO_BACKTRACE;
}

bool write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(file, bytes.data(), bytes.size());
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

Fd to_memfd(const Snapshot& snapshot) {
  Fd file(::memfd_create("torno-snapshot", MFD_CLOEXEC));
  if (!file) return file;
  bool written = write_all(file.get(), std::as_bytes(std::span(&snapshot.header, 1)));
  for (const ModuleFile& each : snapshot.modules) {
    written = written && write_all(file.get(), std::as_bytes(std::span(&each.module, 1)));
  }
  written = written && write_all(file.get(), snapshot.stack);
  return written ? std::move(file) : Fd();
}

class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&actions_); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  // The child has `fd` as `number`.
  void pass(int fd, int number) {
    aside_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, kAside));
    ::posix_spawn_file_actions_adddup2(&actions_, aside_.back().get(), number);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  std::vector<Fd> aside_;
};

class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t all;
    ::sigfillset(&all);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    sigset_t empty;
    ::sigemptyset(&empty);
    ::posix_spawnattr_setsigmask(&attributes_, &empty);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Until it closes its output, or its time is over.
std::string hear(int output) {
  std::string said;
  std::array<char, 4096> block;
  const auto end = Clock::now() + kPatience;
  while (said.size() < kMostOutput) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) break;
    pollfd ready{output, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
    const ssize_t size = ::read(output, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    said.append(block.data(), static_cast<std::size_t>(size));
  }
  return said;
}

std::vector<std::string> lines_of(const std::string& said) {
  std::vector<std::string> lines;
  std::istringstream stream(said);
  for (std::string line; lines.size() < kMostFrames && std::getline(stream, line);) {
    lines.push_back(escape(std::string_view(line).substr(0, kMostLine)));
  }
  return lines;
}

// The helper's number, or a negative errno value. What is passed stays open here only meanwhile:
// the end of its output is to be seen.
pid_t start(const std::string& program, const Snapshot& snapshot, int data, int output) {
  const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  Actions actions;
  actions.pass(nothing.get(), STDIN_FILENO);
  actions.pass(output, STDOUT_FILENO);
  actions.pass(nothing.get(), STDERR_FILENO);
  actions.pass(data, kSnapshotFd);
  for (std::size_t i = 0; i < snapshot.modules.size(); ++i) {
    actions.pass(snapshot.modules[i].file.get(), kFirstModuleFd + static_cast<int>(i));
  }
  std::array<char*, 2> arguments = {const_cast<char*>(program.c_str()), nullptr};
  std::array<char*, 1> environment = {nullptr};
  const Attributes attributes;
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), actions.get(), attributes.get(),
                                  arguments.data(), environment.data());
  return error == 0 ? child : -error;
}

}  // namespace

std::vector<std::string> symbolise(const Snapshot& snapshot) {
  const Fd data = to_memfd(snapshot);
  int ends[2];
  if (!data || ::pipe2(ends, O_CLOEXEC) != 0) return none("out of memory or descriptors");
  const Fd output(ends[0]);
  Fd input(ends[1]);
  const std::string program = helper();
  const pid_t child = start(program, snapshot, data.get(), input.get());
  if (child < 0) return none(system_error(escape(program), -child).message);
  input.reset();
  std::vector<std::string> lines = lines_of(hear(output.get()));
  ::kill(child, SIGKILL);  // one that has ended does not notice
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (lines.empty()) return none("torno-backtrace, which reads the program's files, found none");
  return lines;
}

}  // namespace torno::backtrace
