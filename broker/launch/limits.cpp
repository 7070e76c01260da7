#include "broker/launch/limits.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "broker/policy/quantity.h"

namespace torno::launch {
namespace {

bool names_cgroup(const google::protobuf::RepeatedField<int>& walls) {
  return std::ranges::find(walls, policy::CGROUP) != walls.end();
}

Result<CgroupLimits> cgroup_limits(const policy::Limit& limit) {
  CgroupLimits limits;
  if (limit.has_memory()) {
    const auto bytes = policy::parse_size(limit.memory());
    if (!bytes) return std::unexpected(Error{"limit: " + bytes.error()});
    limits.memory = *bytes;
  }
  if (limit.has_cpus()) {
    const auto hundredths = policy::parse_cpus(limit.cpus());
    if (!hundredths) return std::unexpected(Error{"limit: " + hundredths.error()});
    limits.cpus = *hundredths;
  }
  // The filter holds a limit of one.
  if (limit.processes() > 1) limits.processes = limit.processes();
  return limits;
}

std::string version_name(CgroupVersion version) {
  return version == CgroupVersion::kV2 ? "cgroup v2" : "cgroup v1";
}

}  // namespace

Result<Limits> Limits::make(const policy::PolicyFile& policy) {
  Limits limits;
  limits.limit_ = policy.limit();
  auto resources = session::resource_limits(policy.limit());
  if (!resources) return std::unexpected(resources.error());
  limits.resources_ = std::move(*resources);
  const auto wanted = cgroup_limits(policy.limit());
  if (!wanted) return std::unexpected(wanted.error());
  const bool required = names_cgroup(policy.require());
  const bool chosen = policy.wall().empty() || names_cgroup(policy.wall()) || required;
  std::string missing = "its `wall` does not name CGROUP";
  if (chosen) {
    limits.cgroup_ = Cgroup::make(*wanted);
    missing = limits.cgroup_.missing();
  }
  if (required && !limits.has_cgroup() && missing.empty()) {
    return std::unexpected(Error{
        "the policy requires CGROUP and sets no limit that one holds; write limit { memory }, "
        "{ cpus } or { processes } above 1, or remove it"});
  }
  if (required && !missing.empty()) {
    return std::unexpected(
        Error{"the policy requires CGROUP, which this user cannot have here: " + missing});
  }
  if (policy.limit().has_cpus() && !limits.held(Controller::kCpu)) {
    return std::unexpected(
        Error{"the policy limits cpus, which only a cgroup holds, and there is none: " + missing});
  }
  return limits;
}

Result<std::vector<session::ResourceLimit>> Limits::for_process(std::uint64_t namespaces) const {
  std::vector<session::ResourceLimit> resources = resources_;
  if (held(Controller::kMemory)) {
    // Address space is not memory: Go, Java and sanitizers reserve far more than they use.
    std::erase_if(resources, [](const auto& each) { return each.resource == RLIMIT_AS; });
  }
  if (!counts_processes() || held(Controller::kProcesses)) return resources;
  // A user namespace has a count of its own; elsewhere all of the user's processes count, and the
  // kernel lets root's exceed it anywhere.
  if ((namespaces & CLONE_NEWUSER) == 0 || ::geteuid() == 0) {
    return std::unexpected(
        Error{"the policy limits processes to more than 1, which needs a cgroup" +
              std::string(::geteuid() == 0 ? "" : " or a user namespace") + ", and there is none" +
              (cgroup_.missing().empty() ? "" : ": " + cgroup_.missing())});
  }
  constexpr std::uint64_t kInit = 1;  // it counts as well
  resources.push_back({RLIMIT_NPROC, limit_.processes() + kInit});
  return resources;
}

std::vector<std::string> Limits::names() const {
  std::vector<std::string> names;
  const auto add = [&](bool set, const char* name, Controller controller, const char* otherwise) {
    if (!set) return;
    const auto version = cgroup_.version(controller);
    names.push_back(std::string(name) + ": " + (version ? version_name(*version) : otherwise));
  };
  add(limit_.has_memory(), "memory", Controller::kMemory, "address space");
  add(limit_.has_processes(), "processes", Controller::kProcesses,
      counts_processes() ? "user namespace" : "filter");
  add(limit_.has_cpus(), "cpus", Controller::kCpu, "");
  return names;
}

bool Limits::has_cgroup() const {
  return held(Controller::kMemory) || held(Controller::kProcesses) || held(Controller::kCpu);
}

std::string Limits::memory_used_up() const {
  return cgroup_.ran_out_of_memory() ? limit_.memory() : std::string();
}

}  // namespace torno::launch
