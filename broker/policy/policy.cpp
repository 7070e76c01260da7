#include "broker/policy/policy.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "broker/policy/connect_rules.h"
#include "broker/policy/file_rules.h"

namespace torno::policy {
namespace {

// Asks every policy in turn: the first that denies is the answer, and why.
template <typename Decide>
Verdict all_of(std::span<const PolicyPtr> policies, Decide decide) noexcept {
  Verdict verdict;
  for (const PolicyPtr& policy : policies) {
    verdict = decide(*policy);
    if (!verdict.allowed) return verdict;
  }
  return verdict;
}

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Policy::Policy(PolicyFile merged, std::vector<SyscallPlaces> syscall_places,
               std::unique_ptr<const FileRules> files, std::unique_ptr<const ConnectRules> connect,
               std::vector<FileIdentity> read_from)
    : serial_(next_serial()),
      merged_(std::move(merged)),
      syscall_places_(std::move(syscall_places)),
      files_(std::move(files)),
      connect_(std::move(connect)),
      read_from_(std::move(read_from)) {}

Policy::~Policy() = default;

Verdict Policy::decide_file(std::string_view path, Permissions wanted) const noexcept {
  return files_->decide(path, wanted);
}

Permissions Policy::permissions(std::string_view path) const noexcept {
  return files_->permissions(path);
}

bool Policy::same_beneath(std::string_view one, std::string_view other) const noexcept {
  return files_->paths().same_beneath(one, other);
}

Verdict Policy::decide_connect(const Endpoint& endpoint) const noexcept {
  return connect_->decide(endpoint);
}

// Every rule of a policy's files is added first, and in their order.
const RuleSource& Policy::file_place(int index) const {
  return files_->source(static_cast<RuleId>(index));
}

bool Policy::is_read_from(const FileIdentity& file) const noexcept {
  return std::ranges::find(read_from_, file) != read_from_.end();
}

bool Policy::connects_ipv4() const {
  return connect_->allows_ipv4();
}
bool Policy::connects_ipv6() const {
  return connect_->allows_ipv6();
}
bool Policy::connects_unix() const {
  return connect_->allows_unix();
}

Verdict PolicyStack::decide_file(std::string_view path, Permissions wanted) const noexcept {
  Verdict verdict =
      all_of(policies_, [&](const Policy& policy) { return policy.decide_file(path, wanted); });
  if (verdict.allowed || policies_.size() < 2) return verdict;
  // Seen only where every policy lets it be seen, be it as a way alone.
  bool seen = true;
  bool leads = false;
  for (const PolicyPtr& policy : policies_) {
    const Verdict stat = policy->decide_file(path, kStat);
    seen = seen && (stat.allowed || stat.leads);
    leads = leads || stat.leads;
  }
  verdict.leads = seen && leads;
  return verdict;
}

Permissions PolicyStack::permissions(std::string_view path) const noexcept {
  Permissions all = policies_.empty() ? kNone : static_cast<Permissions>(~kNone);
  for (const PolicyPtr& policy : policies_) all &= policy->permissions(path);
  return all;
}

bool PolicyStack::same_beneath(std::string_view one, std::string_view other) const noexcept {
  return std::ranges::all_of(
      policies_, [&](const PolicyPtr& policy) { return policy->same_beneath(one, other); });
}

Verdict PolicyStack::decide_connect(const Endpoint& endpoint) const noexcept {
  return all_of(policies_, [&](const Policy& policy) { return policy.decide_connect(endpoint); });
}

bool PolicyStack::is_read_from(const FileIdentity& file) const noexcept {
  return std::ranges::any_of(policies_, [&](const auto& each) { return each->is_read_from(file); });
}

std::string PolicyStack::name() const {
  std::string out;
  for (const PolicyPtr& policy : policies_) {
    if (!out.empty()) out += '+';
    out += policy->name();
  }
  return out;
}

}  // namespace torno::policy
