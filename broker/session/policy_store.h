// PolicyStore: the policies a broker serves, loaded at their first use and shared by all sessions
// that name them as long as its files stay what they were: whoever asks gets the policy that they
// hold now, or the error that they have now. A policy that uses ${PID} or ${CWD} differs from
// session to session and is loaded for each. One that does not load is not tried again for a
// second: long enough that asking for it costs nothing, short enough for whoever is mending it.
//
// Finding looks at files, and loading takes as long as the policy is large: never on an io thread.
// One of a name is loaded at a time: what waits for a dead file server holds up those alone who
// name the same.
//
// Thread safety: every member may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/policy/loader.h"

namespace torno::session {

using Variables = std::map<std::string, std::string>;

// A policy and its program, ready to be put in force.
struct ReadyPolicy {
  policy::PolicyPtr policy;
  std::shared_ptr<const Fd> program;  // a sealed memfd
};

class PolicyStore {
 public:
  struct Failure {
    bool missing = false;  // no such policy, or it cannot be read
    std::string message;   // the first error
  };
  using Found = std::expected<ReadyPolicy, Failure>;

  explicit PolicyStore(policy::LoadOptions options) : options_(std::move(options)) {}

  // `common`: variables that are the same for everybody who uses the store; `session`: those of
  // one session alone.
  Found find(const std::string& name, const Variables& common, const Variables& session);

  // A policy from the text of a file that a sealed sandboxee may read, `may_look` as in
  // LoadOptions. Names in it are names, never paths.
  Found from_text(const std::string& text, const std::string& file, const Variables& variables,
                  const std::optional<policy::FileIdentity>& read_from = {},
                  const policy::MayLook& may_look = {});

 private:
  using Key = std::pair<std::string, Variables>;  // and the session's variables
  struct Failed {
    std::chrono::steady_clock::time_point until;
    Failure failure;
  };
  struct Shared {
    ReadyPolicy ready;
    policy::Stamps stamps;
    bool is_current() const;
  };
  using SharedPtr = std::shared_ptr<const Shared>;

  // What is loaded already, for all who name it, current or not; null when nothing is.
  SharedPtr shared(const std::string& name);
  void share(const std::string& name, SharedPtr loaded);
  Found load(const std::string& name, const Variables& common, const Variables& session);

  // Holds a name while it lives: who wants the same waits.
  class Loading;

  const policy::LoadOptions options_;
  std::mutex mutex_;  // of all that follows
  std::condition_variable loaded_;
  std::set<std::string> loading_;
  std::map<Key, Failed> failed_;
  std::map<std::string, SharedPtr> shared_;
};

}  // namespace torno::session
