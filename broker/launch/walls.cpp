#include "broker/launch/walls.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "broker/filter/executables.h"
#include "broker/filter/landlock.h"
#include "broker/policy/quantity.h"
#include "broker/session/walls.h"

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

struct Namespace {
  policy::Wall wall;
  std::uint64_t flag;
};

constexpr Namespace kNamespaces[] = {
    {policy::USER_NAMESPACE, CLONE_NEWUSER},   {policy::MOUNT_NAMESPACE, CLONE_NEWNS},
    {policy::PID_NAMESPACE, CLONE_NEWPID},     {policy::IPC_NAMESPACE, CLONE_NEWIPC},
    {policy::UTS_NAMESPACE, CLONE_NEWUTS},     {policy::CGROUP_NAMESPACE, CLONE_NEWCGROUP},
    {policy::NETWORK_NAMESPACE, CLONE_NEWNET},
};

// A socket is connected from the network that it was made in.
bool connects(const policy::Policy& policy) {
  return policy.connects_ipv4() || policy.connects_ipv6() || policy.connects_unix();
}

bool names(const google::protobuf::RepeatedField<int>& walls, policy::Wall wall) {
  return std::ranges::find(walls, wall) != walls.end();
}

std::uint64_t wanted_namespaces(const policy::Policy& policy) {
  const policy::PolicyFile& merged = policy.merged();
  std::uint64_t wanted = 0;
  for (const Namespace& each : kNamespaces) {
    const bool by_default = each.flag != CLONE_NEWNET || !connects(policy);
    const bool chosen = merged.wall().empty() ? by_default : names(merged.wall(), each.wall);
    if (chosen || names(merged.require(), each.wall)) wanted |= each.flag;
  }
  // Its procfs has to be mounted, as has a temporary folder.
  if ((wanted & CLONE_NEWPID) != 0 || merged.temporary_size() > 0) wanted |= CLONE_NEWNS;
  return wanted;
}

// Root needs no user namespace for the others, and in one of its own it would not be the owner of
// its files any more.
std::vector<std::uint64_t> namespaces(const policy::Policy& policy) {
  const std::uint64_t wanted = wanted_namespaces(policy);
  const policy::PolicyFile& merged = policy.merged();
  const bool user_named = names(merged.wall(), policy::USER_NAMESPACE) ||
                          names(merged.require(), policy::USER_NAMESPACE);
  const bool without_user = ::geteuid() == 0 && !user_named;
  std::vector<std::uint64_t> tries;
  const auto add = [&](std::uint64_t flags) {
    if (without_user) tries.push_back(flags & ~std::uint64_t{CLONE_NEWUSER});
    if (flags != 0) tries.push_back(flags | CLONE_NEWUSER);
  };
  add(wanted);
  // A procfs of one's own is refused where parts of the system's are hidden.
  if ((wanted & CLONE_NEWPID) != 0) add(wanted & ~std::uint64_t{CLONE_NEWPID});
  // And a root, where something forbids to mount.
  if ((wanted & CLONE_NEWNS) != 0) add(wanted & ~std::uint64_t{CLONE_NEWPID | CLONE_NEWNS});
  tries.push_back(0);
  return tries;
}

}  // namespace

const char* missing_namespace(const policy::PolicyFile& policy, std::uint64_t given) {
  if (policy.temporary_size() > 0 && (given & CLONE_NEWNS) == 0) {
    return policy::Wall_Name(policy::MOUNT_NAMESPACE).c_str();
  }
  for (const Namespace& each : kNamespaces) {
    const bool required = names(policy.require(), each.wall);
    if (required && (given & each.flag) == 0) return policy::Wall_Name(each.wall).c_str();
  }
  return nullptr;
}

std::vector<std::string> namespace_names(std::uint64_t namespaces) {
  std::vector<std::string> names;
  for (const Namespace& each : kNamespaces) {
    if ((namespaces & each.flag) != 0) names.push_back(policy::Wall_Name(each.wall));
  }
  return names;
}

Result<Walls> make_walls(const policy::Policy& policy, const Program& program) {
  const policy::PolicyFile& merged = policy.merged();
  if (auto present = session::check_required(merged); !present) {
    return std::unexpected(present.error());
  }
  Walls walls;
  auto filter = filter::compile(policy, filter::Transport::kNotify);
  if (!filter) return std::unexpected(filter.error());
  walls.filter = std::move(*filter);
  const std::uint64_t open_files =
      merged.limit().has_open_files() ? merged.limit().open_files() : kMaxOpenFiles;
  walls.open_files = std::min(open_files, kMaxOpenFiles);
  if (merged.limit().has_wall_time()) {
    const auto seconds = policy::parse_wall_time(merged.limit().wall_time());
    if (!seconds) return std::unexpected(Error{"limit: " + seconds.error()});
    walls.wall_time = *seconds;
  }
  walls.mdwe = session::wants_mdwe(merged);
  walls.namespaces = namespaces(policy);
  auto root = plan_root(policy, program);
  if (!root) return std::unexpected(root.error());
  walls.root = std::move(*root);
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
