#include "tests/sandboxee/sealed_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "broker/base/fd.h"

namespace torno::test {
namespace {

bool is_library_variable(const std::string& variable) {
  return variable.starts_with("TORNO_") && !variable.starts_with("TORNO_STRESS_CALLS=");
}

std::vector<std::string> environment_of(const Circumstances& circumstances) {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_library_variable(*variable)) result.emplace_back(*variable);
  }
  for (const std::string& variable : circumstances.environment) result.push_back(variable);
  if (circumstances.broker_fd >= 0) {
    result.push_back("TORNO_FD=" + std::to_string(circumstances.broker_fd));
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

Playground::Playground() {
  const Place where = place();
  for (const auto& name : {"/allowed", "/writable", "/sockets", "/denied"}) {
    mkdir((where.directory + name).c_str(), 0755);
  }
  directory_.write("allowed/file", "hello");
  directory_.write("denied/secret", "secret");
  if (symlink("file", where.link().c_str()) != 0) std::abort();
  if (mkfifo(where.fifo().c_str(), 0644) != 0) std::abort();
}

std::string Playground::policy_text() const {
  const Place where = place();
  return "file { path: \"" + where.allowed() + "/**\" allow: READ }\n" + "file { path: \"" +
         where.writable() + "/**\" allow: [READ, WRITE, CREATE] type: FIFO }\n" +
         "connect { unix: \"" + where.sockets() + "/**\" }\n" +
         "connect { address: \"127.0.0.1\" }\n";
}

std::string Playground::narrower_policy_text() const {
  return "file { path: \"" + place().allowed() + "/**\" allow: READ }\n";
}

Outcome run_scenario(const std::string& name, const Place& place,
                     const Circumstances& circumstances) {
  std::vector<std::string> arguments = {"test", "--scenario", name, place.directory};
  std::vector<std::string> environment = environment_of(circumstances);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  Fd errors_in(ends[0]);
  Fd errors_out(ends[1]);

  const pid_t child = fork();
  if (child == 0) {
    dup2(errors_out.get(), STDERR_FILENO);
    if (circumstances.broker_fd >= 0) fcntl(circumstances.broker_fd, F_SETFD, 0);
    execve("/proc/self/exe", argv.data(), envp.data());
    _exit(127);
  }
  errors_out.reset();
  Outcome outcome;
  outcome.errors = read_all(errors_in.get());
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) outcome.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

}  // namespace torno::test
