#include "broker/session/welcome.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "broker/filter/landlock.h"
#include "broker/session/limits.h"

namespace torno::session {
namespace {

// Linux 6.3; Debian 12's headers are older.
constexpr int kPrGetMdwe = 66;

bool kernel_has_mdwe() {
  static const bool has = ::prctl(kPrGetMdwe, 0, 0, 0, 0) >= 0;
  return has;
}

// "512M", "10s": digits and at most one unit of `units`, each worth its factor.
struct Unit {
  char letter;
  std::uint64_t factor;
};
constexpr Unit kSizes[] = {
    {'K', 1ULL << 10}, {'M', 1ULL << 20}, {'G', 1ULL << 30}, {'T', 1ULL << 40}};
constexpr Unit kTimes[] = {{'s', 1}, {'m', 60}, {'h', 3600}};

std::optional<std::uint64_t> parse_amount(std::string_view text, std::span<const Unit> units) {
  std::uint64_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (rest.empty()) return amount;
  for (const Unit& unit : units) {
    if (rest.size() != 1 || rest[0] != unit.letter) continue;
    if (amount > std::numeric_limits<std::uint64_t>::max() / unit.factor) return std::nullopt;
    return amount * unit.factor;
  }
  return std::nullopt;
}

void add_limit(wire::Welcome& welcome, int resource, std::uint64_t value) {
  wire::ResourceLimit* limit = welcome.add_limits();
  limit->set_resource(static_cast<std::uint32_t>(resource));
  limit->set_soft(value);
  limit->set_hard(value);
}

// False when the text is no amount: a policy whose limit cannot be put in force is not used.
bool add_limit(wire::Welcome& welcome, int resource, const std::string& text,
               std::span<const Unit> units) {
  const auto value = parse_amount(text, units);
  if (value) add_limit(welcome, resource, *value);
  return value.has_value();
}

Result<void> add_limits(wire::Welcome& welcome, const policy::Limit& limit) {
  struct Row {
    bool given;
    const std::string& text;
    int resource;
    std::span<const Unit> units;
    const char* name;
  };
  const Row rows[] = {
      {limit.has_memory(), limit.memory(), RLIMIT_AS, kSizes, "memory"},
      {limit.has_cpu_time(), limit.cpu_time(), RLIMIT_CPU, kTimes, "cpu_time"},
      {limit.has_file_size(), limit.file_size(), RLIMIT_FSIZE, kSizes, "file_size"},
      {limit.has_core_size(), limit.core_size(), RLIMIT_CORE, kSizes, "core_size"},
  };
  for (const Row& row : rows) {
    if (row.given && !add_limit(welcome, row.resource, row.text, row.units)) {
      return std::unexpected(Error{std::string("limit ") + row.name + ": '" + row.text +
                                   "' is no amount; write a number and a unit"});
    }
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
