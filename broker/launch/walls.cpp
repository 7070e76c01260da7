#include "broker/launch/walls.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

#include "broker/filter/executables.h"
#include "broker/filter/landlock.h"

namespace torno::launch {
namespace {

// The sandboxee library's reserved descriptors lie above it.
constexpr std::uint64_t kMaxOpenFiles = 4032;

// The loader that this process was started with: the system's.
constexpr const char* kOwnProgram = "/proc/self/exe";

Result<void> allow_programs(const policy::Policy& policy, const Program& program, int ruleset) {
  for (const ProgramFile& file : program.chain) {
    if (auto allowed = filter::allow_execution(ruleset, file.file.get()); !allowed) return allowed;
  }
  if (!filter::allows_execution(policy)) return {};
  // What is dynamic needs the loader, and no policy names it.
  if (const auto own = find_program(kOwnProgram, {}, AT_FDCWD); own && !own->is_static) {
    const ProgramFile& loader = own->chain.back();
    if (auto allowed = filter::allow_execution(ruleset, loader.file.get()); !allowed)
      return allowed;
  }
  const filter::Executables executables = filter::executables(policy);
  if (!executables.errors.empty()) {
    return std::unexpected(Error{executables.errors.front().text()});
  }
  return filter::allow_executables(ruleset, executables.places);
}

}  // namespace

Result<Walls> make_walls(const policy::Policy& policy, const Program& program) {
  const policy::PolicyFile& merged = policy.merged();
  if (auto present = session::check_required(merged); !present) {
    return std::unexpected(present.error());
  }
  Walls walls;
  auto filter = filter::compile(policy, filter::Transport::kNotify);
  if (!filter) return std::unexpected(filter.error());
  walls.filter = std::move(*filter);
  auto limits = session::resource_limits(merged.limit());
  if (!limits) return std::unexpected(limits.error());
  walls.limits = std::move(*limits);
  const std::uint64_t open_files =
      merged.limit().has_open_files() ? merged.limit().open_files() : kMaxOpenFiles;
  walls.limits.push_back({RLIMIT_NOFILE, std::min(open_files, kMaxOpenFiles)});
  walls.mdwe = session::wants_mdwe(merged);
  if (filter::landlock_abi() == 0) return walls;
  auto ruleset = filter::make_ruleset();
  if (!ruleset) return std::unexpected(ruleset.error());
  walls.ruleset = std::move(*ruleset);
  if (auto allowed = allow_programs(policy, program, walls.ruleset.get()); !allowed) {
    return std::unexpected(allowed.error());
  }
  return walls;
}

}  // namespace torno::launch
