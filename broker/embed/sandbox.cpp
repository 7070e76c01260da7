#include "broker/include/torno/sandbox.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include "broker/embed/prepare.h"
#include "broker/launch/ending.h"

namespace torno {
namespace {

Sandbox::How public_how(launch::How how) {
  switch (how) {
    case launch::How::kExited:
      return Sandbox::How::kExited;
    case launch::How::kSignalled:
      return Sandbox::How::kSignalled;
    case launch::How::kTimedOut:
      return Sandbox::How::kTimedOut;
    case launch::How::kOutOfMemory:
      return Sandbox::How::kOutOfMemory;
    case launch::How::kRefusedCall:
      return Sandbox::How::kRefusedCall;
    case launch::How::kNotStarted:
      break;
  }
  return Sandbox::How::kNotStarted;
}

}  // namespace

struct Sandbox::State {
  Fd log;  // outlives the broker, which writes to it
  launch::Streams ends;
  launch::Sandbox sandbox;
  std::optional<Result> result;

  Result make_result(const launch::Ending& ending) const {
    Result made;
    made.how = public_how(ending.how);
    made.number = ending.number;
    made.exit_code = launch::exit_code(ending);
    made.description = launch::describe(ending);
    made.denials = sandbox.denials();
    made.walls = sandbox.walls();
    made.walls.insert(made.walls.begin(), "SECCOMP");
    made.limits = sandbox.limits();
    return made;
  }
};

std::expected<Sandbox, Sandbox::Failure> Sandbox::start(const Options& options) try {
  auto prepared = embed::prepare(options);
  if (!prepared) return std::unexpected(prepared.error());
  auto started = launch::Sandbox::start(std::move(prepared->options));
  if (!started) return std::unexpected(Failure{EIO, std::move(started.error().message)});
  return Sandbox(std::make_unique<State>(std::move(prepared->log), std::move(prepared->ends),
                                         std::move(*started), std::nullopt));
} catch (const std::bad_alloc&) {
  return std::unexpected(Failure{ENOMEM, {}});
} catch (const std::exception& error) {
  return std::unexpected(Failure{EIO, error.what()});
}

Sandbox::Sandbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&&) noexcept = default;
Sandbox::~Sandbox() = default;

int Sandbox::fd() const {
  return state_->sandbox.fd();
}

pid_t Sandbox::pid() const {
  return state_->sandbox.pid();
}

int Sandbox::end(int number) const {
  return state_->ends[static_cast<std::size_t>(number)].get();
}

int Sandbox::take_end(int number) {
  return state_->ends[static_cast<std::size_t>(number)].release();
}

void Sandbox::close_input() {
  state_->ends[0].reset();
}

Sandbox::Result Sandbox::wait() {
  if (!state_->result) state_->result = state_->make_result(state_->sandbox.wait());
  return *state_->result;
}

std::optional<Sandbox::Result> Sandbox::wait_for(std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::hours kLongest{24};  // of one poll(2)
  // A time that the clock cannot add is one without an end.
  const auto now = Clock::now();
  const auto until = time < Clock::time_point::max() - now ? now + time : Clock::time_point::max();
  while (!state_->result) {
    if (const auto ending = state_->sandbox.step()) {
      state_->result = state_->make_result(*ending);
      break;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd ready{fd(), POLLIN, 0};
    ::poll(&ready, 1,
           static_cast<int>(std::min<std::chrono::milliseconds>(left, kLongest).count()));
  }
  return state_->result;
}

void Sandbox::signal(int number) {
  state_->sandbox.signal(number);
}

void Sandbox::kill() {
  state_->sandbox.kill();
}

}  // namespace torno
