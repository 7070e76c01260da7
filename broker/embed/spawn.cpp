#include "broker/include/torno/spawn.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "broker/include/torno/sandbox.hpp"

using torno::Sandbox;

struct torno_spawn_options {
  Sandbox::Options chosen;
};

struct torno_spawned {
  Sandbox sandbox;
  std::string description;
  std::string walls;
  std::string limits;
};

namespace {

using Texts = std::vector<std::string> Sandbox::Options::*;

struct TextRow {
  int what;
  Texts texts;
};

constexpr TextRow kTexts[] = {
    {TORNO_ARGUMENT, &Sandbox::Options::arguments},
    {TORNO_POLICY, &Sandbox::Options::policies},
    {TORNO_PROFILE, &Sandbox::Options::profiles},
    {TORNO_READ, &Sandbox::Options::read},
    {TORNO_WRITE, &Sandbox::Options::write},
    {TORNO_VARIABLE, &Sandbox::Options::variables},
    {TORNO_ENVIRONMENT, &Sandbox::Options::environment},
};

int fail(int error) {
  errno = error;
  return -1;
}

// What was thrown, as an errno value: nothing of it may reach a C program.
template <typename Work>
int guarded(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(ENOMEM);
  } catch (...) {
    return fail(EIO);
  }
}

void tell(const std::string& message, char* text, std::size_t size) {
  if (text == nullptr || size == 0) return;
  const std::size_t length = std::min(message.size(), size - 1);
  std::memcpy(text, message.data(), length);
  text[length] = '\0';
}

std::string join(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

int how_of(Sandbox::How how) {
  switch (how) {
    case Sandbox::How::kExited:
      return TORNO_EXITED;
    case Sandbox::How::kSignalled:
      return TORNO_SIGNALLED;
    case Sandbox::How::kTimedOut:
      return TORNO_TIMED_OUT;
    case Sandbox::How::kOutOfMemory:
      return TORNO_OUT_OF_MEMORY;
    case Sandbox::How::kRefusedCall:
      return TORNO_REFUSED_CALL;
    case Sandbox::How::kNotStarted:
      break;
  }
  return TORNO_NOT_STARTED;
}

void describe(torno_spawned& program, const Sandbox::Result& ended, torno_result& result) {
  if (program.description.empty()) {
    program.walls = join(ended.walls, " ");
    program.limits = join(ended.limits, ", ");
    program.description = ended.description;
  }
  const torno_result known{.size = result.size,
                           .how = how_of(ended.how),
                           .number = ended.number,
                           .exit_code = ended.exit_code,
                           .description = program.description.c_str(),
                           .denials = ended.denials,
                           .walls = program.walls.c_str(),
                           .limits = program.limits.c_str()};
  // A caller of an older version knows less of it, one of a newer finds the rest as it was.
  std::memcpy(&result, &known, std::min(result.size, sizeof known));
}

// The first version's.
constexpr std::size_t kLeastResult = sizeof(torno_result);

bool is_stream(int number) {
  return number >= 0 && number <= 2;
}

}  // namespace

extern "C" {

torno_spawn_options* torno_spawn_options_new(void) {
  auto* const options = new (std::nothrow) torno_spawn_options;
  if (options == nullptr) errno = ENOMEM;
  return options;
}

void torno_spawn_options_free(torno_spawn_options* options) {
  delete options;
}

int torno_spawn_add(torno_spawn_options* options, int what, const char* text) {
  if (options == nullptr || text == nullptr) return fail(EINVAL);
  return guarded([&] {
    if (what == TORNO_POLICY_TEXT) {
      options->chosen.policy_text += text;
      return 0;
    }
    const auto* const row = std::ranges::find(kTexts, what, &TextRow::what);
    if (row == std::end(kTexts)) return fail(EINVAL);
    (options->chosen.*row->texts).emplace_back(text);
    return 0;
  });
}

int torno_spawn_limit(torno_spawn_options* options, int which, uint64_t value) {
  if (options == nullptr) return fail(EINVAL);
  Sandbox::Limits& limits = options->chosen.limits;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const auto number = static_cast<std::uint32_t>(std::min(value, kMost));
  // More than this no clock counts, and torno_spawn says so.
  const std::chrono::seconds time(number);
  switch (which) {
    case TORNO_LIMIT_MEMORY:
      limits.memory = value;
      return 0;
    case TORNO_LIMIT_CPU_TIME:
      limits.cpu_time = time;
      return 0;
    case TORNO_LIMIT_WALL_TIME:
      limits.wall_time = time;
      return 0;
    case TORNO_LIMIT_PROCESSES:
      limits.processes = number;
      return 0;
    case TORNO_LIMIT_OPEN_FILES:
      limits.open_files = number;
      return 0;
    case TORNO_LIMIT_FILE_SIZE:
      limits.file_size = value;
      return 0;
    default:
      return fail(EINVAL);
  }
}

int torno_spawn_stream(torno_spawn_options* options, int number, int kind, int fd) {
  if (options == nullptr || !is_stream(number)) return fail(EINVAL);
  Sandbox::Stream stream;
  switch (kind) {
    case TORNO_STREAM_INHERIT:
      break;
    case TORNO_STREAM_NULL:
      stream = Sandbox::Stream::null();
      break;
    case TORNO_STREAM_PIPE:
      stream = Sandbox::Stream::pipe();
      break;
    case TORNO_STREAM_FD:
      stream = Sandbox::Stream::of(fd);
      break;
    default:
      return fail(EINVAL);
  }
  Sandbox::Options& chosen = options->chosen;
  (number == 0 ? chosen.input : number == 1 ? chosen.output : chosen.error) = stream;
  return 0;
}

torno_spawned* torno_spawn(const torno_spawn_options* options, char* error, size_t error_size) {
  tell({}, error, error_size);
  torno_spawned* made = nullptr;
  guarded([&] {
    if (options == nullptr) {
      tell("there are no options", error, error_size);
      return fail(EINVAL);
    }
    auto started = Sandbox::start(options->chosen);
    if (!started) {
      tell(started.error().message, error, error_size);
      return fail(started.error().error);
    }
    made = new torno_spawned{std::move(*started), {}, {}, {}};
    return 0;
  });
  return made;
}

int torno_spawn_fd(const torno_spawned* program, int number) {
  if (program == nullptr || !is_stream(number)) return fail(EBADF);
  const std::array ends = {program->sandbox.input(), program->sandbox.output(),
                           program->sandbox.error()};
  const int fd = ends[static_cast<std::size_t>(number)];
  return fd >= 0 ? fd : fail(EBADF);
}

int torno_spawn_take_fd(torno_spawned* program, int number) {
  const int fd = torno_spawn_fd(program, number);
  if (fd < 0) return fd;
  return number == 0   ? program->sandbox.take_input()
         : number == 1 ? program->sandbox.take_output()
                       : program->sandbox.take_error();
}

int torno_spawn_poll_fd(const torno_spawned* program) {
  return program->sandbox.fd();
}

pid_t torno_spawn_pid(const torno_spawned* program) {
  return program->sandbox.pid();
}

int torno_wait(torno_spawned* program, int timeout, struct torno_result* result) {
  if (program == nullptr || timeout < -1) return fail(EINVAL);
  if (result != nullptr && result->size < kLeastResult) return fail(EINVAL);
  return guarded([&] {
    std::optional<Sandbox::Result> ended;
    if (timeout < 0) {
      ended = program->sandbox.wait();
    } else {
      ended = program->sandbox.wait_for(std::chrono::milliseconds(timeout));
    }
    if (!ended) return 0;
    if (result != nullptr) describe(*program, *ended, *result);
    return 1;
  });
}

int torno_signal(torno_spawned* program, int signal) {
  if (program == nullptr || signal < 1 || signal >= NSIG) return fail(EINVAL);
  program->sandbox.signal(signal);
  return 0;
}

void torno_kill(torno_spawned* program) {
  program->sandbox.kill();
}

void torno_spawn_free(torno_spawned* program) {
  delete program;
}

}  // extern "C"
