#include "broker/session/welcome.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "broker/filter/landlock.h"
#include "broker/session/limits.h"
#include "broker/session/walls.h"

namespace torno::session {
namespace {

// The same program through a description of its own: a file offset is nothing two sandboxees
// should share.
Result<Fd> reopen(const Fd& memfd) {
  const std::string path = "/proc/self/fd/" + std::to_string(memfd.get());
  Fd own(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!own) return std::unexpected(system_error("cannot open the filter program again", errno));
  return own;
}

void describe(const policy::Policy& policy, std::uint32_t layers, wire::Welcome& message) {
  message.set_version(kMaxVersion);
  message.set_layers(layers);
  message.set_policy(policy.name().substr(0, kMaxShownPolicy));
  message.set_broker_gone(policy.merged().broker_gone() == policy::GONE_KILL
                              ? wire::BROKER_GONE_KILL
                              : wire::BROKER_GONE_EIO);
}

}  // namespace

Result<Welcome> make_launched_welcome(const ReadyPolicy& ready) {
  Welcome welcome;
  auto program = reopen(*ready.program);
  if (!program) return std::unexpected(program.error());
  welcome.fds.push_back(std::move(*program));
  describe(*ready.policy, wire::LAYER_NO_NEW_PRIVS | wire::LAYER_SECCOMP, welcome.message);
  return welcome;
}

Result<Welcome> make_welcome(const ReadyPolicy& ready) {
  const policy::PolicyFile& policy = ready.policy->merged();
  if (auto present = check_required(policy); !present) return std::unexpected(present.error());
  if (policy.limit().has_wall_time()) {
    return std::unexpected(
        Error{"the policy limits wall_time, which only a launcher keeps; use torno run"});
  }
  // Without one the program would have the machine's own folder.
  if (policy.temporary_size() > 0) {
    return std::unexpected(
        Error{"the policy has a temporary folder, which only a launcher makes; use torno run"});
  }
  if (policy.limit().processes() > 1 || policy.limit().has_cpus()) {
    const std::string what = policy.limit().has_cpus() ? "cpus" : "processes to more than 1";
    return std::unexpected(
        Error{"the policy limits " + what + ", which only a launcher holds; use torno run"});
  }
  for (const int wall : policy.require()) {
    if (wall == policy::LANDLOCK || wall == policy::MDWE) continue;
    return std::unexpected(Error{"the policy requires " +
                                 policy::Wall_Name(static_cast<policy::Wall>(wall)) +
                                 ", which only a launcher puts up; use torno run"});
  }

  Welcome welcome;
  wire::Welcome& message = welcome.message;
  std::uint32_t layers = wire::LAYER_NO_NEW_PRIVS | wire::LAYER_SECCOMP | wire::LAYER_RLIMITS |
                         wire::LAYER_CAPABILITIES;
  auto program = reopen(*ready.program);
  if (!program) return std::unexpected(program.error());
  welcome.fds.push_back(std::move(*program));

  if (filter::landlock_abi() > 0) {
    auto ruleset = filter::make_ruleset();
    if (!ruleset) return std::unexpected(ruleset.error());
    welcome.fds.push_back(std::move(*ruleset));
    layers |= wire::LAYER_LANDLOCK;
  }
  if (wants_mdwe(policy)) layers |= wire::LAYER_MDWE;
  describe(*ready.policy, layers, message);
  const auto limits = resource_limits(policy.limit());
  if (!limits) return std::unexpected(limits.error());
  for (const ResourceLimit& each : *limits) {
    wire::ResourceLimit* limit = message.add_limits();
    limit->set_resource(static_cast<std::uint32_t>(each.resource));
    limit->set_soft(each.value);
    limit->set_hard(each.value);
  }
  if (policy.limit().has_open_files()) message.set_open_files(policy.limit().open_files());
  return welcome;
}

}  // namespace torno::session
