#include "broker/server/server.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "broker/base/error.h"
#include "broker/files/protected.h"
#include "broker/server/peer.h"
#include "broker/session/loop.h"
#include "broker/session/session.h"

namespace torno::server {
namespace {

namespace asio = boost::asio;

// After accept failed for want of descriptors or memory: trying at once again would only spin.
constexpr std::chrono::milliseconds kAcceptAgain{100};

// And saying so every time would fill the log.
constexpr std::chrono::minutes kSayAgain{1};

// Connections that are not served and still get a polite refusal; the others are closed.
constexpr std::size_t kMaxRefusing = 64;

constexpr std::chrono::seconds kDrainTime{2};

// One io thread and the sessions on it.
struct Worker {
  session::Loop loop;
  session::Workspace workspace;
  std::set<std::shared_ptr<session::Session>> sessions;  // used by the io thread alone
};

policy::LoadOptions load_options(const Options& options, const std::vector<std::string>& reserved) {
  policy::LoadOptions load;
  load.directories = options.policy_directories;
  load.allow_paths = options.embedded;
  load.protected_paths = reserved;
  return load;
}

std::size_t descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

session::Settings settings_of(const Options& options) {
  session::Settings settings;
  settings.embedded = options.embedded;
  settings.handshake_timeout = options.handshake_timeout;
  settings.variables = policy::default_variables(::geteuid(), 0, "");
  settings.variables.erase("PID");
  settings.variables.erase("CWD");
  return settings;
}

}  // namespace

struct Server::State {
  State(const Options& options, const std::vector<std::string>& reserved, files::Files files)
      : auditor(options.audit_fd, options.format),
        services(settings_of(options), load_options(options, reserved), std::move(files), auditor,
                 descriptors()),
        dropped(services.closer.make_lane()) {
    for (int i = 0; i < options.threads; ++i) workers.push_back(std::make_unique<Worker>());
  }

  Worker& first() { return *workers.front(); }
  Worker& next() { return *workers[turn++ % workers.size()]; }

  class Place;

  // False: too many wait to be closed, and no further one should be accepted now.
  bool start_session(Fd control, session::Peer peer);
  void await_peers();
  void accept();
  void accept_later();
  void say_cannot_accept(int error);
  void stop();
  void finish();

  // Timers and signals. Runs on the server's thread.
  asio::io_context clock;
  asio::executor_work_guard<asio::io_context::executor_type> work{clock.get_executor()};
  audit::Auditor auditor;
  std::vector<std::unique_ptr<Worker>> workers;
  session::Services services;  // its pool posts to the workers, and so ends before them
  std::size_t turn = 0;
  session::Closer::Lane dropped;
  std::atomic<std::size_t> refusing{0};
  int listener = -1;  // borrowed
  session::Loop::Handle accepting;
  asio::steady_timer accept_timer{clock};
  std::optional<std::chrono::steady_clock::time_point> said;  // that accept failed
  std::unique_ptr<asio::signal_set> signals;
  bool single = false;
  bool drained = true;
};

// What a session takes of the quota, or of the refusals under way, until it is given back.
class Server::State::Place {
 public:
  Place(State& state, pid_t peer, bool refused) : state_(&state), peer_(peer), refused_(refused) {}
  Place(Place&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)),
        peer_(other.peer_),
        refused_(other.refused_) {}
  Place& operator=(Place&&) = delete;
  ~Place() { give_back(); }

  void give_back() {
    State* state = std::exchange(state_, nullptr);
    if (state == nullptr) return;
    if (refused_) {
      --state->refusing;
    } else {
      state->services.quota.give_session(peer_);
    }
  }

 private:
  State* state_;
  pid_t peer_;
  bool refused_;
};

bool Server::State::start_session(Fd control, session::Peer peer) {
  std::optional<session::Refusal> refusal;
  if (peer.uid != ::geteuid()) {
    refusal = {wire::Refused::REASON_IDENTITY,
               "this broker serves its own user (uid " + std::to_string(::geteuid()) +
                   ") only, and the peer's is " + std::to_string(peer.uid) +
                   "; run a broker as that user"};
  } else if (!services.quota.take_session(peer.pid)) {
    refusal = {wire::Refused::REASON_RESOURCES,
               "the broker serves as many sessions as it can, or as one process may have; try "
               "again later"};
  }
  if (refusal && refusing++ >= kMaxRefusing) {
    --refusing;
    return dropped.close(std::move(control)) <= session::kMaxUnclosed;
  }
  Place place(*this, peer.pid, refusal.has_value());
  Worker& worker = next();
  worker.loop.post([this, &worker, control = std::move(control), peer = std::move(peer),
                    refusal = std::move(refusal), place = std::move(place)]() mutable {
    // Filled in below: a session leaves the set on its own thread, after its handler returned.
    auto self = std::make_shared<std::weak_ptr<session::Session>>();
    // A std::function is copied, and a place is one.
    auto held = std::make_shared<Place>(std::move(place));
    auto session = std::make_shared<session::Session>(
        worker.loop, clock, worker.workspace, services, std::move(peer),
        [this, &worker, self, held] {
          held->give_back();
          worker.loop.post([&worker, ended = self->lock()] { worker.sessions.erase(ended); });
          if (single) stop();
        });
    *self = session;
    worker.sessions.insert(session);
    try {
      session->start(std::move(control), std::move(refusal));
    } catch (...) {  // out of memory; nobody else would end it
      session->end();
      throw;
    }
  });
  return true;
}

// On the first io thread: a peer that comes when others went finds the room that they left.
void Server::State::await_peers() {
  const auto watch = first().loop.watch(listener, [this](session::Loop::Ready) { accept(); });
  if (watch) {
    accepting = *watch;
  } else {
    accept_later();
  }
}

void Server::State::accept() {
  const auto pause = [this] {
    first().loop.unwatch(accepting);
    accept_later();
  };
  Fd control(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!control) {
    const int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      say_cannot_accept(error);
      pause();
    }
  } else if (auto peer = identify(control.get()); peer) {
    if (!start_session(std::move(control), std::move(*peer))) pause();
  } else {
    dropped.close(std::move(control));
  }
}

// Who waits to be accepted sees nothing of the reason.
void Server::State::say_cannot_accept(int error) {
  const auto now = std::chrono::steady_clock::now();
  if (said && now - *said < kSayAgain) return;
  said = now;
  std::fprintf(stderr, "tornod: error: %s; who connects has to wait (raise the limit: ulimit -n)\n",
               system_error("cannot accept a connection", error).message.c_str());
}

void Server::State::accept_later() {
  accept_timer.expires_after(kAcceptAgain);
  accept_timer.async_wait([this](boost::system::error_code error) {
    if (!error) first().loop.post([this] { await_peers(); });
  });
}

void Server::State::stop() {
  for (const auto& worker : workers) {
    worker->loop.post([&worker = *worker] {
      const auto served = worker.sessions;  // a copy: sessions leave it as they end
      for (const auto& session : served) session->end();
      // Last in the queue, so that what the ends left to do is done.
      worker.loop.post([&worker] { worker.loop.stop(); });
    });
  }
  clock.stop();
}

// What came in between the order to stop and the stop.
void Server::State::finish() {
  for (const auto& worker : workers) {
    worker->loop.run_posted();
    const auto served = worker->sessions;
    for (const auto& session : served) session->end();
    worker->loop.run_posted();
    worker->sessions.clear();
  }
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::create(const Options& options, const std::string& socket_path) {
  const std::vector<std::string> reserved =
      files::brokers_own(socket_path, options.policy_directories);
  auto files = files::Files::create(reserved);
  if (!files) return std::unexpected(files.error());
  return Server(std::make_unique<State>(options, reserved, std::move(*files)));
}

void Server::serve_listener(int listener) {
  State& state = *state_;
  state.listener = listener;
  state.await_peers();
}

Result<void> Server::serve_peer(Fd control) {
  auto peer = identify(control.get());
  if (!peer) return std::unexpected(peer.error());
  state_->single = true;
  state_->start_session(std::move(control), std::move(*peer));
  return {};
}

namespace {

// A handler that throws (the machine is out of memory) costs what it was doing, not the sessions
// of everybody else.
template <typename Loop>
void serve(Loop& loop) {
  for (;;) {
    try {
      loop.run();
      return;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "tornod: error: %s; going on\n", error.what());
    }
  }
}

}  // namespace

Result<void> Server::run() {
  State& state = *state_;
  std::vector<std::thread> threads;
  Result<void> started;
  try {
    for (const auto& worker : state.workers) {
      threads.emplace_back([&loop = worker->loop] { serve(loop); });
      ::pthread_setname_np(threads.back().native_handle(), kIoThreadName);
    }
    serve(state.clock);
  } catch (const std::system_error& error) {
    started = std::unexpected(Error{std::string("no thread to serve on: ") + error.what()});
    state.stop();
  }
  for (std::thread& thread : threads) thread.join();
  state.drained = state.services.slow_pool.drain(kDrainTime);
  state.finish();
  state.drained &= state.services.closer.drain(kDrainTime);
  return started;
}

void Server::stop() {
  state_->stop();
}

void Server::stop_by_signal(bool ignore_terminal) {
  State& state = *state_;
  state.signals = std::make_unique<asio::signal_set>(state.clock, SIGTERM);
  if (ignore_terminal) {
    for (const int signal : {SIGINT, SIGQUIT, SIGHUP}) ::signal(signal, SIG_IGN);
  } else {
    state.signals->add(SIGINT);
    // A terminal that hangs up. Under nohup it stays ignored.
    struct sigaction hangup{};
    ::sigaction(SIGHUP, nullptr, &hangup);
    if (hangup.sa_handler != SIG_IGN) state.signals->add(SIGHUP);
  }
  state.signals->async_wait([&state](boost::system::error_code error, int) {
    if (!error) state.stop();
  });
}

bool Server::drained() const {
  return state_->drained;
}

}  // namespace torno::server
