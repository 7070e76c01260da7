// Server: sessions on io threads. serve_listener() accepts many peers, serve_peer() one.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "broker/audit/audit.h"
#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/session/limits.h"

namespace torno::server {

// What the threads that serve sessions are called (ps -L).
inline constexpr const char* kIoThreadName = "tornod-io";

struct Options {
  std::vector<std::string> policy_directories;
  bool embedded = false;  // one session, whose peer may name paths and set variables
  // One io thread serves thousands of requests a second in the fewest wake-ups; more help only
  // when one is busy all the time.
  int threads = 1;
  audit::Format format = audit::Format::kText;
  int audit_fd = 2;
  std::chrono::milliseconds handshake_timeout = session::kHandshakeTimeout;
};

class Server {
 public:
  // `socket_path`: the broker's own socket, which no sandboxee may reach; may be empty.
  static Result<Server> create(const Options& options, const std::string& socket_path);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) = delete;
  ~Server();

  // Before run: accept from `listener` (borrowed; it does not block).
  void serve_listener(int listener);
  // Before run: one session; run returns when it ends.
  Result<void> serve_peer(Fd control);

  // Serves on `threads` threads of its own until stop; this one waits for signals. Fails when the
  // kernel gives no thread.
  Result<void> run();

  // Ends run, from any thread.
  void stop();
  // The same, by SIGTERM, and by SIGINT unless `ignore_terminal`: keys pressed on the terminal are
  // meant for the program that a broker of one session serves.
  void stop_by_signal(bool ignore_terminal);

  // After run: false when a request is stuck in the kernel and the process must end without
  // waiting for it.
  bool drained() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace torno::server
