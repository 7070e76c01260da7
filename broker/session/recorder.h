// Recorder: what one sandboxee does, in the audit: events that bear its names, denials counted,
// and no more of them than a reader can follow.
//
// Thread safety: none; a session uses it on its own thread. denials() may be asked on any.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "broker/audit/audit.h"
#include "broker/files/outcome.h"
#include "broker/session/kind.h"

namespace torno::session {

class Recorder {
 public:
  // `session`: its number; `pid`: what an event bears that no other process is named for.
  Recorder(audit::Auditor& auditor, std::uint64_t session, pid_t pid, uid_t uid)
      : auditor_(auditor), session_(session), pid_(pid), uid_(uid) {}

  // The policies in force, joined by '+'.
  void set_policy(std::string name) { policy_ = std::move(name); }
  const std::string& policy() const { return policy_; }

  // An event of `client`, or of the session's own process with 0.
  audit::Event event(pid_t client) const;

  void write(audit::Event&& event) { auditor_.write(std::move(event)); }
  // Unless there were too many of late.
  void write_limited(audit::Event&& event);
  // What was held back since: at the end.
  void write_suppressed();

  // Counts and writes what the policy refused; nothing when it refused nothing.
  void denial(Kind kind, pid_t client, const files::Outcome& outcome);
  // The same of a call that no policy allows.
  void refusal(const std::string& call, pid_t client, int error);
  // The same of one for which the process is killed.
  void kill(const std::string& call, const std::string& arguments, pid_t client);
  std::uint64_t denials() const { return denials_; }

 private:
  audit::Auditor& auditor_;
  const std::uint64_t session_;
  const pid_t pid_;
  const uid_t uid_;
  std::string policy_;
  std::atomic<std::uint64_t> denials_ = 0;
  audit::RateLimit rate_;
};

}  // namespace torno::session
