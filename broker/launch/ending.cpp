#include "broker/launch/ending.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "broker/base/error.h"

namespace torno::launch {
namespace {

constexpr int kTornoFailed = 125;
constexpr int kSignalBase = 128;

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

// "segmentation fault"; abbreviations such as "CPU" and "I/O" stay as they are.
std::string signal_words(int signal) {
  const char* words = ::sigdescr_np(signal);
  if (words == nullptr) return {};
  std::string text = words;
  const auto is_capital = [&text](std::size_t at) { return text[at] >= 'A' && text[at] <= 'Z'; };
  if (text.size() > 1 && is_capital(0) && text[1] >= 'a' && text[1] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

// As escape(), but a backslash stays: what comes here may have been escaped before.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\\' ? std::string(1, c) : escape({&c, 1});
  return out;
}

std::string describe_signal(int signal) {
  // Nothing more is known where the kernel kills: for a call of another architecture, or by a
  // filter of the program's own.
  const std::string words =
      signal == SIGSYS ? "bad system call, as one of another architecture" : signal_words(signal);
  return signal_name(signal) + (words.empty() ? "" : " (" + words + ")");
}

}  // namespace

Ending ending_of(int wait_status, const Known& known) {
  if (!WIFSIGNALED(wait_status)) return {How::kExited, WEXITSTATUS(wait_status), {}};
  const int signal = WTERMSIG(wait_status);
  if (signal == SIGKILL && !known.time.empty()) return {How::kTimedOut, signal, known.time};
  if (signal == SIGKILL && !known.memory.empty()) return {How::kOutOfMemory, signal, known.memory};
  if (signal == SIGKILL && !known.refused_call.name.empty()) {
    return {How::kRefusedCall, SIGSYS, {}, known.refused_call};
  }
  return {How::kSignalled, signal, {}};
}

Ending ending_of(NotStarted not_started) {
  return {How::kNotStarted, not_started.exit_code, std::move(not_started.message)};
}

Ending ending_of_failure(std::string message) {
  return {How::kNotStarted, kTornoFailed, std::move(message)};
}

int exit_code(const Ending& ending) {
  const bool is_code = ending.how == How::kExited || ending.how == How::kNotStarted;
  return is_code ? ending.number : kSignalBase + ending.number;
}

audit::ProgramEnded::How audit_name(const Ending& ending) {
  using audit::ProgramEnded;
  switch (ending.how) {
    case How::kExited:
      return ProgramEnded::EXITED;
    case How::kSignalled:
      return ProgramEnded::SIGNALLED;
    case How::kTimedOut:
      return ProgramEnded::TIMED_OUT;
    case How::kOutOfMemory:
      return ProgramEnded::OUT_OF_MEMORY;
    case How::kRefusedCall:
      return ProgramEnded::REFUSED_CALL;
    case How::kNotStarted:
      return ending.number == kTornoFailed ? ProgramEnded::TORNO_FAILED : ProgramEnded::NOT_STARTED;
  }
  return ProgramEnded::HOW_UNSPECIFIED;
}

std::string describe(const Ending& ending) {
  const std::string detail = printable(ending.detail);
  switch (ending.how) {
    case How::kExited:
      return "ended with status " + std::to_string(ending.number);
    case How::kTimedOut:
      return "ended by " + signal_name(ending.number) + " after its time of " + detail +
             " was over";
    case How::kOutOfMemory:
      return "ended by " + signal_name(ending.number) + " when its memory of " + detail +
             " was used up";
    case How::kRefusedCall:
      return "ended by " + signal_name(ending.number) + ": refused call " +
             printable(ending.call.name + "(" + ending.call.arguments + ")");
    case How::kNotStarted:
      return "not started: " + detail;
    case How::kSignalled:
      break;
  }
  return "ended by " + describe_signal(ending.number);
}

}  // namespace torno::launch
