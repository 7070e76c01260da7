#include "broker/session/policy_store.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "broker/filter/program.h"

namespace torno::session {
namespace {

// Failures, each for so long; more than any broker has wrong policies.
constexpr std::chrono::seconds kRemember{1};
constexpr std::size_t kMaxRemembered = 64;

using Diagnostics = std::vector<policy::Diagnostic>;

// The first error; null when there is none.
const policy::Diagnostic* first_error(const Diagnostics& diagnostics) {
  const auto found = std::ranges::find(diagnostics, policy::Diagnostic::Severity::kError,
                                       &policy::Diagnostic::severity);
  return found == diagnostics.end() ? nullptr : &*found;
}

PolicyStore::Failure failure_of(const policy::Loaded& loaded) {
  const policy::Diagnostic* const error = first_error(loaded.diagnostics);
  if (error == nullptr) return {loaded.unreadable, "the policy does not load"};
  // Whoever prints it says that it is an error.
  return {loaded.unreadable, error->where.file.empty() ? error->message : error->text()};
}

void print_warnings(const Diagnostics& diagnostics) {
  for (const policy::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity != policy::Diagnostic::Severity::kWarning) continue;
    std::fprintf(stderr, "tornod: %s\n", diagnostic.text().c_str());
  }
}

enum class Warnings { kPrint, kKeep };

PolicyStore::Found ready(policy::PolicyPtr policy, Warnings warnings) {
  const Diagnostics rules = filter::check(*policy);
  if (const auto* error = first_error(rules); error != nullptr) {
    return std::unexpected(PolicyStore::Failure{false, error->text()});
  }
  if (warnings == Warnings::kPrint) print_warnings(rules);
  auto program = filter::compile(*policy);
  if (!program) return std::unexpected(PolicyStore::Failure{false, program.error().message});
  auto memfd = filter::to_memfd(*program);
  if (!memfd) return std::unexpected(PolicyStore::Failure{false, memfd.error().message});
  return ReadyPolicy{std::move(policy), std::make_shared<const Fd>(std::move(*memfd))};
}

}  // namespace

bool PolicyStore::Shared::is_current() const {
  return std::ranges::all_of(stamps, [](const policy::Stamp& stamp) { return stamp.holds(); });
}

PolicyStore::SharedPtr PolicyStore::shared(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto known = shared_.find(name);
  return known == shared_.end() ? nullptr : known->second;
}

// Null: what was shared is no longer.
void PolicyStore::share(const std::string& name, SharedPtr loaded) {
  const std::lock_guard lock(mutex_);
  if (loaded == nullptr) {
    shared_.erase(name);
  } else {
    shared_.insert_or_assign(name, std::move(loaded));
  }
}

class PolicyStore::Loading {
 public:
  Loading(PolicyStore& store, const std::string& name) : store_(store), name_(name) {
    std::unique_lock lock(store_.mutex_);
    store_.loaded_.wait(lock, [this] { return !store_.loading_.contains(name_); });
    store_.loading_.insert(name_);
  }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;
  ~Loading() {
    {
      const std::lock_guard lock(store_.mutex_);
      store_.loading_.erase(name_);
    }
    store_.loaded_.notify_all();
  }

 private:
  PolicyStore& store_;
  const std::string& name_;
};

PolicyStore::Found PolicyStore::find(const std::string& name, const Variables& common,
                                     const Variables& session) {
  const SharedPtr before = shared(name);
  if (before != nullptr && before->is_current()) return before->ready;
  const Loading held(*this, name);
  // Loaded while this waited.
  if (const SharedPtr known = shared(name); known != before && known != nullptr) {
    if (known->is_current()) return known->ready;
  }
  const auto now = std::chrono::steady_clock::now();
  const Key key(name, session);
  {
    const std::lock_guard lock(mutex_);
    const auto failed = failed_.find(key);
    if (failed != failed_.end() && now < failed->second.until) {
      return std::unexpected(failed->second.failure);
    }
  }
  Found found = load(name, common, session);
  // Finding out that there is none is cheap, and the names are a peer's to invent.
  if (!found && !found.error().missing) {
    const std::lock_guard lock(mutex_);
    if (failed_.size() >= kMaxRemembered) failed_.clear();
    failed_.insert_or_assign(key,
                             Failed{std::chrono::steady_clock::now() + kRemember, found.error()});
  }
  return found;
}

PolicyStore::Found PolicyStore::load(const std::string& name, const Variables& common,
                                     const Variables& session) {
  policy::LoadOptions options = options_;
  options.variables = common;
  if (policy::Loaded loaded = policy::load(name, options); loaded.policy != nullptr) {
    print_warnings(loaded.diagnostics);
    Found found = ready(loaded.policy, Warnings::kPrint);
    if (found) {
      share(name, std::make_shared<const Shared>(Shared{*found, std::move(loaded.stamps)}));
    } else {
      share(name, nullptr);
    }
    return found;
  }
  share(name, nullptr);
  // It does not load without the session's own variables: it uses them, or it is wrong.
  options.variables.insert(session.begin(), session.end());
  const policy::Loaded loaded = policy::load(name, options);
  if (loaded.policy == nullptr) return std::unexpected(failure_of(loaded));
  return ready(loaded.policy, Warnings::kKeep);
}

PolicyStore::Found PolicyStore::from_text(const std::string& text, const std::string& file,
                                          const Variables& variables,
                                          const std::optional<policy::FileIdentity>& read_from,
                                          const policy::MayLook& may_look) {
  policy::LoadOptions options = options_;
  options.allow_paths = false;
  options.variables = variables;
  options.may_look = may_look;
  const policy::Loaded loaded = policy::load_text(text, file, options, read_from);
  if (loaded.policy == nullptr) return std::unexpected(failure_of(loaded));
  return ready(loaded.policy, Warnings::kKeep);
}

}  // namespace torno::session
