#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "broker/audit/audit.h"
#include "broker/base/error.h"

namespace torno::audit {
namespace {

// A line is at most PIPE_BUF (4096) bytes, so that a pipe takes it whole. Longest forms of a
// field, in bytes of JSON, which writes each backslash of an escape twice.
constexpr std::size_t kMaxPath = 2400;
constexpr std::size_t kMaxText = 500;

std::size_t json_size(std::string_view printable) {
  return printable.size() + static_cast<std::size_t>(std::ranges::count(printable, '\\'));
}

// What a field holds: bytes of others, or a message in which those are escaped already.
enum class Holds { kBytes, kMessage };

// Hostile bytes become printable ASCII here, once, for both formats. Cut between two bytes, never
// within an escape made here, which could make its rest read as something else.
void make_printable(std::string* field, std::size_t longest, Holds holds = Holds::kBytes) {
  std::string printable;
  std::size_t size = 0;
  for (const char& byte : *field) {
    const bool is_done = byte == '\\' && holds == Holds::kMessage;
    const std::string escaped = is_done ? std::string(1, byte) : escape({&byte, 1});
    size += json_size(escaped);
    if (size > longest) {
      printable += "...";
      break;
    }
    printable += escaped;
  }
  *field = std::move(printable);
}

void make_printable(Event* event) {
  make_printable(event->mutable_policy(), kMaxText);
  switch (event->what_case()) {
    case Event::kViolation: {
      Violation* violation = event->mutable_violation();
      make_printable(violation->mutable_path(), kMaxPath);
      make_printable(violation->mutable_rule(), kMaxText);
      make_printable(violation->mutable_arguments(), kMaxText, Holds::kMessage);
      break;
    }
    case Event::kProtocolViolation:
      make_printable(event->mutable_protocol_violation()->mutable_reason(), kMaxText);
      break;
    case Event::kRefused:
      make_printable(event->mutable_refused()->mutable_reason(), kMaxText, Holds::kMessage);
      break;
    case Event::kProgramEnded:
      make_printable(event->mutable_program_ended()->mutable_program(), kMaxText);
      make_printable(event->mutable_program_ended()->mutable_description(), kMaxText,
                     Holds::kMessage);
      make_printable(event->mutable_program_ended()->mutable_arguments(), kMaxText,
                     Holds::kMessage);
      break;
    default:
      break;
  }
}

std::string what_happened(const Event& event) {
  switch (event.what_case()) {
    case Event::kStarted:
      return "session started";
    case Event::kEnded:
      return "session ended: " + std::to_string(event.ended().requests()) + " requests, " +
             std::to_string(event.ended().denials()) + " denied";
    case Event::kViolation: {
      const Violation& denied = event.violation();
      if (denied.permission().empty()) {
        const std::string arguments =
            denied.arguments().empty() ? "" : "(" + denied.arguments() + ")";
        return "refused " + denied.call() + arguments + ": " + denied.error();
      }
      return "denied " + denied.call() + " " + denied.permission() + " " + denied.path() + ": " +
             denied.error() + " (" + (denied.rule().empty() ? "no rule" : denied.rule()) + ")";
    }
    case Event::kProtocolViolation:
      return "session ended, it broke the protocol: " + event.protocol_violation().reason();
    case Event::kRefused:
      return "session refused: " + event.refused().reason();
    case Event::kProgramEnded:
      return event.program_ended().program() + ": " + event.program_ended().description();
    case Event::kSuppressed:
      return std::to_string(event.suppressed().events()) + " events not shown";
    case Event::WHAT_NOT_SET:
      break;
  }
  return "nothing";
}

std::string to_text(const Event& event) {
  std::string line = "torno: " + what_happened(event);
  if (event.session() == 0) return line;
  line += " pid=" + std::to_string(event.pid()) + " uid=" + std::to_string(event.uid());
  if (!event.policy().empty()) line += " policy=" + event.policy();
  line += " session=" + std::to_string(event.session());
  return line;
}

std::string to_json(const Event& event) {
  std::string line;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  // Every string is printable ASCII by now, so this cannot fail.
  if (!google::protobuf::util::MessageToJsonString(event, &line, options).ok()) line.clear();
  return line;
}

}  // namespace

std::string to_line(Event event, Format format) {
  make_printable(&event);
  return format == Format::kJson ? to_json(event) : to_text(event);
}

}  // namespace torno::audit
