#include "tests/examples/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "tests/examples/files.h"
#include "tests/support/temporary_directory.h"

namespace torno::examples {
namespace {

std::vector<std::string> environment(const std::string& broker) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.starts_with("TORNO_") || text.starts_with("PATH=")) continue;
    // Looking for leaks needs ptrace, which a sealed process does not have.
    if (text.starts_with("ASAN_OPTIONS=")) continue;
    out.push_back(text);
  }
  out.push_back("PATH=/usr/bin:/bin");
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

}  // namespace

std::string Result::said_by(const std::string& name) const {
  std::istringstream lines(err);
  std::string said;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ": ")) said += line + "\n";
  }
  return said;
}

std::string program(const std::string& name) {
  return TORNO_BINARY_DIR "/bin/" + name;
}

std::string module(const std::string& name) {
  return TORNO_BINARY_DIR "/lib/" + name + ".so";
}

Result run(const std::vector<std::string>& arguments, const std::string& broker) {
  const test::TemporaryDirectory directory;
  const std::string out = directory.path() + "/out";
  const std::string err = directory.path() + "/err";
  Result result;
  result.status = wait_for(start(arguments, broker, out, err));
  result.out = read_file(out);
  result.err = read_file(err);
  return result;
}

}  // namespace torno::examples
