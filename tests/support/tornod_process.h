// TornodProcess: the built tornod, serving policies of the test's on a socket of the test's.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace torno::test {

// Name of a policy → its text.
using Policies = std::map<std::string, std::string>;

class TornodProcess {
 public:
  // Returns when the broker accepts connections, or has ended.
  explicit TornodProcess(const Policies& policies, const std::vector<std::string>& arguments = {});
  ~TornodProcess();
  TornodProcess(const TornodProcess&) = delete;
  TornodProcess& operator=(const TornodProcess&) = delete;

  pid_t pid() const { return pid_; }
  std::string socket_path() const { return directory_.path() + "/broker.sock"; }
  std::string policy_directory() const { return directory_.path() + "/policies"; }

  bool is_running();
  // Ends it by SIGTERM and returns the status waitpid(2) gave.
  int stop();
  // Ends it by SIGKILL.
  void kill();

  // What it wrote to standard error so far.
  std::string log() const;
  // Waits until the log holds `text`.
  bool wait_for_log(const std::string& text) const;

  // As count_fds(pid()).
  int count_fds() const;
  // Waits until it has `count` descriptors open. True too where nobody can know.
  bool wait_for_fds(int count) const;

 private:
  void wait();

  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  int status_ = -1;
};

// The path of the built tornod.
std::string tornod_path();

}  // namespace torno::test
