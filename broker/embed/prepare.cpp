#include "broker/embed/prepare.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

#include "broker/launch/environment.h"
#include "broker/launch/run_policy.h"
#include "broker/notify/target.h"
#include "broker/session/interrupt.h"

namespace torno::embed {
namespace {

using Failure = Sandbox::Failure;
using Stream = Sandbox::Stream;

std::unexpected<Failure> failure(int error, std::string message) {
  return std::unexpected(Failure{error, std::move(message)});
}

bool has_nul(const Sandbox::Options& wanted) {
  const auto lists = {&wanted.arguments, &wanted.policies,  &wanted.profiles,   &wanted.read,
                      &wanted.write,     &wanted.variables, &wanted.environment};
  for (const auto* list : lists) {
    for (const std::string& text : *list) {
      if (text.find('\0') != std::string::npos) return true;
    }
  }
  return false;
}

// What a policy could not say either.
std::expected<policy::Limit, Failure> read_limits(const Sandbox::Limits& wanted) {
  constexpr std::int64_t kMaxSeconds = 315'360'000;  // ten years, as of wall_time in policies
  constexpr std::uint32_t kMaxOpenFiles = 4032;
  constexpr std::uint32_t kMaxProcesses = 1U << 22;
  for (const auto& time : {wanted.cpu_time, wanted.wall_time}) {
    if (time && (time->count() < 1 || time->count() > kMaxSeconds)) {
      return failure(EINVAL, "a limit of time must lie between a second and ten years");
    }
  }
  if (wanted.memory == 0U) return failure(EINVAL, "a memory of 0 lets nothing run");
  if (wanted.open_files && (*wanted.open_files == 0 || *wanted.open_files > kMaxOpenFiles)) {
    return failure(EINVAL, "open_files must lie between 1 and 4032");
  }
  if (wanted.processes && (*wanted.processes == 0 || *wanted.processes > kMaxProcesses)) {
    return failure(EINVAL, "processes must lie between 1 and 4194304");
  }
  policy::Limit limit;
  if (wanted.memory) limit.set_memory(std::to_string(*wanted.memory));
  if (wanted.cpu_time) limit.set_cpu_time(std::to_string(wanted.cpu_time->count()) + "s");
  if (wanted.wall_time) limit.set_wall_time(std::to_string(wanted.wall_time->count()) + "s");
  if (wanted.processes) limit.set_processes(*wanted.processes);
  if (wanted.open_files) limit.set_open_files(*wanted.open_files);
  if (wanted.file_size) limit.set_file_size(std::to_string(*wanted.file_size));
  return limit;
}

std::expected<policy::PolicyPtr, Failure> read_policy(const Sandbox::Options& wanted,
                                                      const launch::Program& program,
                                                      std::vector<std::string>& directories) {
  auto options = launch::load_options(wanted.variables);
  if (!options) return failure(EINVAL, options.error().message);
  auto limit = read_limits(wanted.limits);
  if (!limit) return std::unexpected(limit.error());
  directories = options->directories;
  const launch::RunPolicy asked{wanted.policies,  wanted.profiles,    wanted.read, wanted.write,
                                wanted.variables, wanted.policy_text, *limit};
  launch::RunLoaded loaded = launch::load_run_policy(asked, program, {}, std::move(*options));
  if (loaded.policy != nullptr) return std::move(loaded.policy);
  std::string text;
  for (const policy::Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity != policy::Diagnostic::Severity::kError) continue;
    text += (text.empty() ? "" : "\n") + diagnostic.text();
  }
  return failure(EINVAL, std::move(text));
}

std::expected<void, Failure> open_stream(const Stream& wanted, std::size_t number,
                                         Prepared& prepared) {
  Fd& theirs = prepared.options.streams[number];
  Result<Fd> opened = Fd();
  switch (wanted.kind) {
    case Stream::Kind::kInherit:
      break;
    case Stream::Kind::kNull:
      opened = launch::open_null();
      break;
    case Stream::Kind::kFd:
      if (::fcntl(wanted.fd, F_GETFD) < 0) {
        return failure(EINVAL, "a stream is no open descriptor: " + std::to_string(wanted.fd));
      }
      opened = launch::duplicate(wanted.fd);
      break;
    case Stream::Kind::kPipe: {
      auto pipe = launch::make_pipe();
      if (!pipe) return failure(EIO, pipe.error().message);
      const bool is_input = number == STDIN_FILENO;
      prepared.ends[number] = std::move(is_input ? pipe->write : pipe->read);
      opened = std::move(is_input ? pipe->read : pipe->write);
      break;
    }
    default:
      return failure(EINVAL, "a stream is of no known kind");
  }
  if (!opened) return failure(EIO, opened.error().message);
  theirs = std::move(*opened);
  return {};
}

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

std::optional<std::string_view> path_variable() {
  const char* const path = std::getenv("PATH");
  if (path == nullptr) return std::nullopt;
  return path;
}

}  // namespace

std::expected<Prepared, Failure> prepare(const Sandbox::Options& wanted) {
  if (wanted.arguments.empty()) return failure(EINVAL, "say what to start: there are no arguments");
  if (has_nul(wanted)) return failure(EINVAL, "a text holds a NUL");
  if (!session::may_prepare_interrupts()) {
    return failure(EBUSY, "this process handles SIGURG, which Torno's threads wake each other by");
  }
  auto program = launch::find_program(wanted.arguments.front(), path_variable(), AT_FDCWD);
  if (!program) {
    const bool is_missing = program.error().exit_code == launch::NotStarted::kNotFound;
    return failure(is_missing ? ENOENT : ENOEXEC, std::move(program.error().message));
  }
  Prepared prepared;
  launch::Options& options = prepared.options;
  auto policy = read_policy(wanted, *program, options.policy_directories);
  if (!policy) return std::unexpected(policy.error());
  auto environment =
      launch::make_environment((*policy)->merged(), own_environment(), wanted.environment);
  if (!environment) return failure(EINVAL, environment.error().message);
  const auto umask = notify::Target(::gettid()).umask();
  if (!umask) return failure(EIO, "cannot read /proc/self/status (mount /proc)");
  auto log = launch::open_null();
  if (!log) return failure(EIO, log.error().message);
  const Stream* const streams[] = {&wanted.input, &wanted.output, &wanted.error};
  for (std::size_t number = 0; number < std::size(streams); ++number) {
    const auto opened = open_stream(*streams[number], number, prepared);
    if (!opened) return std::unexpected(opened.error());
  }
  options.policy = std::move(*policy);
  options.program = std::move(*program);
  options.arguments = wanted.arguments;
  options.environment = std::move(*environment);
  options.umask = *umask;
  prepared.log = std::move(*log);
  options.audit_fd = prepared.log.get();
  return prepared;
}

}  // namespace torno::embed
