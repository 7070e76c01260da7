// Services: what all sessions of a broker share, and the facts about one peer.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/audit/audit.h"
#include "broker/files/files.h"
#include "broker/session/closer.h"
#include "broker/session/decoder.h"
#include "broker/session/limits.h"
#include "broker/session/policy_store.h"
#include "broker/session/quota.h"
#include "broker/session/slow_pool.h"

namespace torno::session {

// Of a program that the launcher started, under a notify filter: its policy was chosen for it, and
// every wall but the trap filter is up before it can say anything.
struct Launched {
  ReadyPolicy ready;
  // The root of the procfs of its pid namespace, where that is not the broker's own, and what is
  // called there what the broker knows by a number. Used on the session's thread.
  int proc = -1;
  std::function<pid_t(pid_t)> number_inside;
  // It says that its trap filter is in force. Nothing is let through because of it.
  std::atomic<bool> sealed = false;
};

// What the kernel says of who connected.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  std::string cwd;                       // empty: not readable
  std::shared_ptr<Launched> launched{};  // null: it seals itself
};

struct Settings {
  // A broker of one session: its peer also takes paths to policy files and sets variables. One
  // that serves many takes names only, since whoever writes the policy decides what it allows.
  bool embedded = false;
  Variables variables;  // HOME, TMPDIR, UID
  std::chrono::milliseconds handshake_timeout = kHandshakeTimeout;
};

struct Services {
  // `descriptors`: that the broker may have open.
  Services(Settings chosen, policy::LoadOptions policy_options, files::Files performer,
           audit::Auditor& log, std::size_t descriptors)
      : settings(std::move(chosen)),
        policies(std::make_shared<PolicyStore>(std::move(policy_options))),
        files(std::make_shared<const files::Files>(std::move(performer))),
        auditor(log),
        quota(descriptors) {}

  const Settings settings;
  // A stuck thread of the pool keeps these.
  const std::shared_ptr<PolicyStore> policies;
  const std::shared_ptr<const files::Files> files;
  audit::Auditor& auditor;
  std::atomic<std::uint64_t> last_session{0};
  Quota quota;
  Closer closer;
  SlowPool slow_pool;
};

// Memory that every message of an io thread uses again.
struct Workspace {
  Decoder decoder;
  std::array<char, kMaxMessage> received;
  std::array<char, kMaxMessage> sent;
};

}  // namespace torno::session
