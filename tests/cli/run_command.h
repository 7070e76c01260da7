// RunCommand: `torno run` as a process that a test may talk to.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "broker/base/fd.h"
#include "tests/cli/run_torno.h"

namespace torno::cli {

class RunCommand {
 public:
  // `words`: what follows `torno run`. `before` runs in the child before its exec.
  explicit RunCommand(const std::vector<std::string>& words,
                      const std::function<void()>& before = {});
  ~RunCommand();
  RunCommand(const RunCommand&) = delete;
  RunCommand& operator=(const RunCommand&) = delete;

  pid_t pid() const { return pid_; }
  // Its standard input, output: pipes. What it says on standard error goes to a file.
  int input() const { return input_.get(); }
  int output() const { return output_.get(); }
  void close_input() { input_.reset(); }
  // The next line of its output; empty at the end.
  std::string read_line() const;

  void signal(int number) const;
  // Does nobody hold the other end of its output any more? At once; what was said must be read.
  bool is_output_closed() const;
  // Waits for torno itself alone; its status as below.
  int wait_for_exit();
  // Reads its output to the end, and waits. Status: 128 + N when signal N ended torno itself.
  Said wait();

 private:
  Fd input_;
  Fd output_;
  Fd error_;
  pid_t pid_ = -1;
};

// The same at once, with nothing on standard input.
Said run(const std::vector<std::string>& words, const std::function<void()>& before = {});

}  // namespace torno::cli
