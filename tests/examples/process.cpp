#include "tests/examples/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "broker/base/fd.h"

namespace torno::examples {
namespace {

constexpr int kStartTenths = 300;  // tenths of a second that tornod may take under a sanitizer

std::vector<std::string> environment(const std::string& broker) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.starts_with("TORNO_") || text.starts_with("PATH=")) continue;
    // Looking for leaks needs ptrace, which a sealed process does not have.
    if (text.starts_with("ASAN_OPTIONS=")) continue;
    out.push_back(text);
  }
  out.push_back("PATH=" TORNO_BINARY_DIR "/bin:/usr/bin:/bin");
  out.push_back("ASAN_OPTIONS=detect_leaks=0");
  if (!broker.empty()) out.push_back("TORNO_BROKER=" + broker);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// Output goes to files: nobody has to read while the program runs.
pid_t start(std::vector<std::string> arguments, const std::string& broker, const std::string& out,
            const std::string& err) {
  std::vector<std::string> variables = environment(broker);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(variables);
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid > 0) return pid;
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), STDOUT_FILENO);
  dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), STDERR_FILENO);
  execvpe(argv[0], argv.data(), envp.data());
  std::perror(argv[0]);
  _exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool answers(const std::string& path) {
  const Fd probe(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::string program(const std::string& name) {
  return TORNO_BINARY_DIR "/bin/" + name;
}

std::string module(const std::string& name) {
  return TORNO_BINARY_DIR "/lib/" + name + ".so";
}

Result run(const std::vector<std::string>& arguments, const std::string& broker) {
  const Directory directory;
  const std::string out = directory / "out";
  const std::string err = directory / "err";
  Result result;
  result.status = wait_for(start(arguments, broker, out, err));
  result.out = read_file(out);
  result.err = read_file(err);
  return result;
}

Service::Service(const Directory& directory) : socket_(directory / "broker.sock") {
  pid_ = start({program("tornod"), "--socket", socket_, "--policies", directory / "policies"}, "",
               directory / "tornod.out", directory / "tornod.err");
  for (int i = 0; i < kStartTenths; ++i) {
    if (answers(socket_)) return;
    usleep(100'000);
  }
  kill(pid_, SIGKILL);
  wait_for(pid_);
  throw std::runtime_error("tornod does not answer: " + read_file(directory / "tornod.err"));
}

Service::~Service() {
  kill(pid_, SIGTERM);
  wait_for(pid_);
}

}  // namespace torno::examples
