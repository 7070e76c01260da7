#include "broker/session/welcome.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "broker/filter/landlock.h"
#include "broker/policy/quantity.h"
#include "broker/session/limits.h"

namespace torno::session {
namespace {

// Linux 6.3; Debian 12's headers are older.
constexpr int kPrGetMdwe = 66;

bool kernel_has_mdwe() {
  static const bool has = ::prctl(kPrGetMdwe, 0, 0, 0, 0) >= 0;
  return has;
}

void add_limit(wire::Welcome& welcome, int resource, std::uint64_t value) {
  wire::ResourceLimit* limit = welcome.add_limits();
  limit->set_resource(static_cast<std::uint32_t>(resource));
  limit->set_soft(value);
  limit->set_hard(value);
}

Result<void> add_limits(wire::Welcome& welcome, const policy::Limit& limit) {
  using Parse = std::expected<std::uint64_t, std::string> (*)(std::string_view);
  struct Row {
    bool given;
    const std::string& text;
    int resource;
    Parse parse;
  };
  const Row rows[] = {
      {limit.has_memory(), limit.memory(), RLIMIT_AS, policy::parse_size},
      {limit.has_cpu_time(), limit.cpu_time(), RLIMIT_CPU, policy::parse_seconds},
      {limit.has_file_size(), limit.file_size(), RLIMIT_FSIZE, policy::parse_size},
      {limit.has_core_size(), limit.core_size(), RLIMIT_CORE, policy::parse_size},
  };
  for (const Row& row : rows) {
    if (!row.given) continue;
    const auto value = row.parse(row.text);
    if (!value) return std::unexpected(Error{"limit: " + value.error()});
    add_limit(welcome, row.resource, *value);
  }
  // A core file would carry what the sandboxee has read past the policy.
  if (!limit.has_core_size()) add_limit(welcome, RLIMIT_CORE, 0);
  if (limit.has_open_files()) welcome.set_open_files(limit.open_files());
  return {};
}

Result<void> check_required(const policy::PolicyFile& policy) {
  for (const int wall : policy.require()) {
    if (wall == policy::LANDLOCK && filter::landlock_abi() == 0) {
      return std::unexpected(
          Error{"the policy requires LANDLOCK, which this kernel does not have or has disabled"});
    }
    if (wall == policy::MDWE && !kernel_has_mdwe()) {
      return std::unexpected(Error{"the policy requires MDWE, which needs Linux 6.3 or later"});
    }
  }
  return {};
}

// The same program through a description of its own: a file offset is nothing two sandboxees
// should share.
Result<Fd> reopen(const Fd& memfd) {
  const std::string path = "/proc/self/fd/" + std::to_string(memfd.get());
  Fd own(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!own) return std::unexpected(system_error("cannot open the filter program again", errno));
  return own;
}

}  // namespace

Result<Welcome> make_welcome(const ReadyPolicy& ready) {
  const policy::PolicyFile& policy = ready.policy->merged();
  if (auto present = check_required(policy); !present) return std::unexpected(present.error());

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
  if (policy.executable_mappings() == policy::MAPPINGS_DENY && kernel_has_mdwe()) {
    layers |= wire::LAYER_MDWE;
  }
  message.set_version(kMaxVersion);
  message.set_layers(layers);
  message.set_policy(ready.policy->name().substr(0, kMaxShownPolicy));
  message.set_broker_gone(policy.broker_gone() == policy::GONE_KILL ? wire::BROKER_GONE_KILL
                                                                    : wire::BROKER_GONE_EIO);
  if (auto limits = add_limits(message, policy.limit()); !limits) {
    return std::unexpected(limits.error());
  }
  return welcome;
}

}  // namespace torno::session
