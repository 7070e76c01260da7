// tornod: the broker as a program.
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "broker/base/error.h"
#include "broker/policy/loader.h"
#include "broker/server/listener.h"
#include "broker/server/process.h"
#include "broker/server/server.h"
#include "proto/wire.pb.h"

namespace {

using torno::Error;
using torno::Fd;
using torno::Result;
using torno::server::Listener;
using torno::server::Options;
using torno::server::Server;

constexpr int kFailed = 125;  // Torno itself failed

struct CommandLine {
  std::string socket;
  int fd = -1;
  Options server;
};

int fail(const std::string& message) {
  std::fprintf(stderr, "tornod: error: %s\n", message.c_str());
  return kFailed;
}

// Holds SIGTERM, SIGINT and SIGHUP back while it lives: between the socket's birth and the moment
// the server takes signals, one would end the process and leave the socket behind.
class HeldSignals {
 public:
  HeldSignals() : before_(hold()) {}
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  // For good; what was held before.
  static sigset_t hold() {
    sigset_t held;
    sigset_t before;
    ::sigemptyset(&held);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&held, signal);
    ::pthread_sigmask(SIG_BLOCK, &held, &before);
    return before;
  }

 private:
  const sigset_t before_;
};

// Serves until a signal, or the end of the one session, and then ends the process.
int serve(Server& server, Listener* listener) {
  const auto served = server.run();
  // The server takes signals as long as it lives; a further one must find nothing left to do.
  if (listener != nullptr) listener->remove();
  // A request stuck in the kernel (a dead network file system) keeps what it uses; only the end
  // of the process takes it away.
  if (!served) fail(served.error().message);
  const int status = served ? 0 : kFailed;
  if (!server.drained()) ::_exit(status);
  return status;
}

Result<Listener> listener_of(const CommandLine& line) {
  const int inherited = ::sd_listen_fds(1);
  if (inherited > 1) {
    return std::unexpected(Error{"the service manager passed more than one socket; pass one"});
  }
  if (inherited == 1) return Listener::adopt(Fd(SD_LISTEN_FDS_START));
  if (line.socket.empty()) {
    return std::unexpected(
        Error{"nothing to serve; give --socket PATH or --fd N, see tornod --help"});
  }
  return Listener::bind(line.socket);
}

int serve_many(const CommandLine& line) {
  auto held = std::make_optional<HeldSignals>();
  auto listener = listener_of(line);
  if (!listener) return fail(listener.error().message);
  auto server = Server::create(line.server, listener->path());
  if (!server) return fail(server.error().message);
  server->stop_by_signal(false);
  held.reset();
  server->serve_listener(listener->fd());
  ::sd_notify(0, "READY=1");
  const int status = serve(*server, &*listener);
  // When the server goes, so does its taking of signals: another one would end the process as if it
  // had failed.
  HeldSignals::hold();
  ::sd_notify(0, "STOPPING=1");
  return status;
}

int serve_one(const CommandLine& line) {
  auto control = torno::server::take_control(line.fd);
  if (!control) return fail(control.error().message);
  auto server = Server::create(line.server, "");
  if (!server) return fail(server.error().message);
  server->stop_by_signal(true);
  if (auto served = server->serve_peer(std::move(*control)); !served) {
    return fail(served.error().message);
  }
  return serve(*server, nullptr);
}

// The help names each value by itself; what the check would add says less.
CLI::Validator without_description(CLI::Validator validator) {
  validator.description("");
  return validator;
}

// CLI11's own check would name the largest number there is, all 309 digits of it.
CLI::Validator descriptor() {
  return {[](const std::string& word) {
            int fd = -1;
            const char* const end = word.data() + word.size();
            const auto [read, error] = std::from_chars(word.data(), end, fd);
            if (error == std::errc{} && read == end && fd >= 0) return std::string();
            return "'" + torno::escape(word) + "' is no descriptor's number";
          },
          ""};
}

std::string versions() {
  return std::string("tornod ") + TORNO_VERSION + " (wire " + std::to_string(torno::wire::VERSION) +
         ")";
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app{
      "tornod serves sandboxed programs: it opens files and connects sockets for them as far as "
      "their policy allows.\n\n"
      "  tornod --socket /run/torno/broker.sock --policies /etc/torno/policies\n"
      "      serves every program of its own user that connects there, until SIGTERM, SIGINT or "
      "SIGHUP.\n"
      "  tornod --fd N\n"
      "      serves the one program at the other end of the inherited socket N, and ends with it.\n"
      "\nUnder systemd's socket activation it takes the socket it is passed. Policies are files "
      "NAME.policy; docs/policy.md explains them. Messages and refused requests go to standard "
      "error.",
      "tornod"};
  app.set_version_flag("--version", versions(), "Print the project's and the wire's version");
  auto* socket =
      app.add_option("--socket", line.socket, "Where to listen; mode 0600")->type_name("PATH");
  app.add_option("--fd", line.fd, "Serve the connected SOCK_SEQPACKET socket with this number")
      ->type_name("N")
      ->check(descriptor())
      ->excludes(socket);
  app.add_option("--policies", line.server.policy_directories,
                 "Folder with NAME.policy files; may be given again, the first match wins. "
                 "Otherwise TORNO_POLICY_PATH, or the system's folders")
      ->type_name("DIR")
      ->check(without_description(CLI::ExistingDirectory))
      ->allow_extra_args(false);
  app.add_option("--threads", line.server.threads, "Threads that serve requests")
      ->type_name("N")
      ->check(without_description(CLI::Range(1, 64)))
      ->capture_default_str();
  std::string format = "text";
  app.add_option("--log-format", format, "text: a line an event; json: an audit event a line")
      ->type_name("text|json")
      ->check(without_description(CLI::IsMember({"text", "json"})));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return fail(std::string(error.what()) + "; see tornod --help");
  }
  if (line.server.policy_directories.empty()) {
    line.server.policy_directories = torno::policy::default_directories();
  }
  line.server.embedded = line.fd >= 0;
  if (format == "json") line.server.format = torno::audit::Format::kJson;
  torno::server::prepare_process();
  return line.server.embedded ? serve_one(line) : serve_many(line);
}
