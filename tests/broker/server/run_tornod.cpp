#include "tests/broker/server/run_tornod.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/support/tornod_process.h"

namespace torno::server {
namespace {

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

pid_t start(const std::vector<std::string>& arguments, const std::string& out,
            const std::string& error, const std::function<void()>& before) {
  std::vector<std::string> words = {test::tornod_path()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDOUT_FILENO);
  ::dup2(::open(error.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDERR_FILENO);
  before();
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

int exit_status(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

Ran run_tornod(const std::vector<std::string>& arguments, const std::function<void()>& before) {
  const test::TemporaryDirectory directory;
  const std::string out = directory.path() + "/out";
  const std::string error = directory.path() + "/error";
  const pid_t pid = start(arguments, out, error, before);
  const int status = exit_status(pid);
  return {status, read_file(out), read_file(error)};
}

EmbeddedTornod::EmbeddedTornod(const std::vector<std::string>& arguments,
                               const std::function<void()>& before) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  const Fd theirs(ends[0]);
  peer_ = test::RawPeer(Fd(ends[1]));
  std::vector<std::string> words = {"--fd", std::to_string(theirs.get())};
  words.insert(words.end(), arguments.begin(), arguments.end());
  pid_ = start(words, directory_.path() + "/out", directory_.path() + "/error", [&] {
    ::fcntl(theirs.get(), F_SETFD, 0);
    before();
  });
}

EmbeddedTornod::~EmbeddedTornod() {
  if (pid_ > 0) end();
}

bool EmbeddedTornod::is_running() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

int EmbeddedTornod::end() {
  peer_.close();
  const int status = exit_status(pid_);
  pid_ = -1;
  return status;
}

std::string EmbeddedTornod::log() const {
  return read_file(directory_.path() + "/error");
}

}  // namespace torno::server
