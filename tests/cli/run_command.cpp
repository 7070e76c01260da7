#include "tests/cli/run_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace torno::cli {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

RunCommand::RunCommand(const std::vector<std::string>& words, const std::function<void()>& before) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  error_ = Fd(::memfd_create("error", MFD_CLOEXEC));
  const std::string program = TORNO_BINARY_DIR "/bin/torno";
  std::vector<char*> argv{const_cast<char*>(program.c_str()), const_cast<char*>("run")};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in.read.get(), STDIN_FILENO);
    ::dup2(out.write.get(), STDOUT_FILENO);
    ::dup2(error_.get(), STDERR_FILENO);
    if (before) before();
    ::execv(program.c_str(), argv.data());
    ::_exit(99);
  }
  input_ = std::move(in.write);
  output_ = std::move(out.read);
}

RunCommand::~RunCommand() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string RunCommand::read_line() const {
  std::string line;
  char letter = 0;
  while (::read(output_.get(), &letter, 1) == 1 && letter != '\n') line += letter;
  return line;
}

void RunCommand::signal(int number) const {
  EXPECT_EQ(::kill(pid_, number), 0);
}

bool RunCommand::is_output_closed() const {
  pollfd output{output_.get(), POLLIN, 0};
  return ::poll(&output, 1, 0) == 1 && output.revents == POLLHUP;
}

int RunCommand::wait_for_exit() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Said RunCommand::wait() {
  Said said;
  std::array<char, 65536> block;
  for (ssize_t got = 0; (got = ::read(output_.get(), block.data(), block.size())) > 0;) {
    said.out.append(block.data(), static_cast<std::size_t>(got));
  }
  said.status = wait_for_exit();
  off_t at = 0;
  for (ssize_t got = 0; (got = ::pread(error_.get(), block.data(), block.size(), at)) > 0;
       at += got) {
    said.err.append(block.data(), static_cast<std::size_t>(got));
  }
  return said;
}

Said run(const std::vector<std::string>& words, const std::function<void()>& before) {
  RunCommand command(words, before);
  command.close_input();
  return command.wait();
}

}  // namespace torno::cli
