// Ways to run tornod beside TornodProcess: to its end, and embedded.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"

namespace torno::server {

struct Ran {
  int status = -1;  // as exited, or -1 when a signal ended it
  std::string out;
  std::string error;
};

// To its end. `before` runs in the child before exec.
Ran run_tornod(
    const std::vector<std::string>& arguments, const std::function<void()>& before = [] {});

// tornod --fd, and the other end of its socket.
class EmbeddedTornod {
 public:
  explicit EmbeddedTornod(
      const std::vector<std::string>& arguments = {}, const std::function<void()>& before = [] {});
  ~EmbeddedTornod();
  EmbeddedTornod(const EmbeddedTornod&) = delete;
  EmbeddedTornod& operator=(const EmbeddedTornod&) = delete;

  test::RawPeer& peer() { return peer_; }
  pid_t pid() const { return pid_; }
  bool is_running();
  // Closes the peer's end and waits: the exit status, or -1.
  int end();
  std::string log() const;

 private:
  test::TemporaryDirectory directory_;
  test::RawPeer peer_{Fd()};
  pid_t pid_ = -1;
};

}  // namespace torno::server
