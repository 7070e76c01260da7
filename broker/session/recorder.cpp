#include "broker/session/recorder.h"

#include <time.h>

#include "broker/base/error.h"

namespace torno::session {
namespace {

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

}  // namespace

audit::Event Recorder::event(pid_t client) const {
  audit::Event event;
  event.set_session(session_);
  event.set_pid(static_cast<std::uint32_t>(client > 0 ? client : pid_));
  event.set_uid(uid_);
  event.set_policy(policy_);
  return event;
}

void Recorder::write_limited(audit::Event&& event) {
  if (!rate_.admit(monotonic_ns())) return;
  write_suppressed();
  auditor_.write(std::move(event));
}

void Recorder::write_suppressed() {
  const std::uint64_t suppressed = rate_.take_suppressed();
  if (suppressed == 0) return;
  audit::Event held_back = event(0);
  held_back.mutable_suppressed()->set_events(suppressed);
  auditor_.write(std::move(held_back));
}

void Recorder::denial(Kind kind, pid_t client, const files::Outcome& outcome) {
  if (!outcome.denial) return;
  const files::Denial& denial = *outcome.denial;
  ++denials_;
  audit::Event denied = event(client);
  audit::Violation& violation = *denied.mutable_violation();
  violation.set_call(name_of(kind));
  violation.set_path(denial.path);
  violation.set_permission(kind == Kind::kConnect ? "CONNECT" : policy::to_string(denial.wanted));
  violation.set_error(errno_name(outcome.error));
  if (denial.rule != nullptr) {
    violation.set_rule(denial.rule->file + ":" + std::to_string(denial.rule->line));
  }
  write_limited(std::move(denied));
}

void Recorder::refusal(const std::string& call, pid_t client, int error) {
  ++denials_;
  audit::Event refused = event(client);
  refused.mutable_violation()->set_call(call);
  refused.mutable_violation()->set_error(errno_name(error));
  write_limited(std::move(refused));
}

void Recorder::kill(const std::string& call, const std::string& arguments, pid_t client) {
  ++denials_;
  audit::Event killed = event(client);
  killed.mutable_violation()->set_call(call);
  killed.mutable_violation()->set_arguments(arguments);
  killed.mutable_violation()->set_error("SIGSYS");
  write_limited(std::move(killed));
}

}  // namespace torno::session
