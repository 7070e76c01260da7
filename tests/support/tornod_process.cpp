#include "tests/support/tornod_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "broker/base/fd.h"
#include "tests/support/processes.h"

namespace torno::test {
namespace {

bool answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::string tornod_path() {
  return TORNO_BINARY_DIR "/bin/tornod";
}

TornodProcess::TornodProcess(const Policies& policies, const std::vector<std::string>& arguments) {
  ::mkdir(policy_directory().c_str(), 0755);
  for (const auto& [name, text] : policies) directory_.write("policies/" + name + ".policy", text);
  const std::string log = directory_.write("log", "");

  std::vector<std::string> words = {tornod_path(), "--socket", socket_path(), "--policies",
                                    policy_directory()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ == 0) {
    const int fd = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    ::dup2(fd, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  eventually([this] { return !is_running() || answers(socket_path()); });
}

TornodProcess::~TornodProcess() {
  if (is_running()) stop();
}

bool TornodProcess::is_running() {
  if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

int TornodProcess::stop() {
  if (pid_ > 0) ::kill(pid_, SIGTERM);
  wait();
  return status_;
}

void TornodProcess::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  wait();
}

void TornodProcess::wait() {
  if (pid_ > 0) ::waitpid(pid_, &status_, 0);
  pid_ = -1;
}

std::string TornodProcess::log() const {
  std::ostringstream text;
  text << std::ifstream(directory_.path() + "/log").rdbuf();
  return text.str();
}

bool TornodProcess::wait_for_log(const std::string& text) const {
  return eventually([&] { return log().find(text) != std::string::npos; });
}

int TornodProcess::count_fds() const {
  return test::count_fds(pid_);
}

bool TornodProcess::wait_for_fds(int count) const {
  return eventually([&] {
    const int now = count_fds();
    return now < 0 || now == count;
  });
}

}  // namespace torno::test
