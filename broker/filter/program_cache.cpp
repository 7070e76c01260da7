#include "broker/filter/program_cache.h"

#include "broker/filter/program.h"

namespace torno::filter {

Result<std::shared_ptr<const Sealed>> ProgramCache::get(const policy::PolicyPtr& policy) {
  // Held while compiling, a matter of milliseconds once a policy: whoever enters at the same
  // moment waits for this program instead of compiling it again.
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return entry.first.expired(); });
  if (const auto found = entries_.find(policy); found != entries_.end()) return found->second;

  const auto program = compile(*policy);
  if (!program) return std::unexpected(program.error());
  Result<Fd> file = to_memfd(*program);
  if (!file) return std::unexpected(file.error());
  auto sealed = std::make_shared<const Sealed>(Sealed{std::move(*file), program->size()});
  entries_.emplace(policy, sealed);
  return sealed;
}

std::size_t ProgramCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace torno::filter
