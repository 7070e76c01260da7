#include "broker/filter/landlock.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/filter/landlock_attributes.h"

namespace torno::filter {
namespace {

constexpr unsigned kVersionFlag = 1;  // LANDLOCK_CREATE_RULESET_VERSION

// How many of the LANDLOCK_ACCESS_FS_ rights, which are numbered from bit 0, came with which ABI.
constexpr unsigned kRightsOfAbi1 = 13;  // EXECUTE … MAKE_SYM
constexpr unsigned kRightsOfAbi2 = 14;  // REFER
constexpr unsigned kRightsOfAbi3 = 15;  // TRUNCATE
constexpr unsigned kRightsOfAbi5 = 16;  // IOCTL_DEV

// The kernel opens what it executes for reading as well, scripts, interpreters and loaders too.
// Both are rights that a single file takes.
constexpr std::uint64_t kExecuteRight = 1U << 0;
constexpr std::uint64_t kReadFileRight = 1U << 2;
constexpr int kPathBeneath = 1;  // LANDLOCK_RULE_PATH_BENEATH

// struct landlock_path_beneath_attr
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed = 0;
  std::int32_t place = -1;
};

constexpr std::uint64_t kBindTcp = 1U << 0;
constexpr std::uint64_t kConnectTcp = 1U << 1;
constexpr std::uint64_t kScopeAbstractUnixSocket = 1U << 0;
constexpr std::uint64_t kScopeSignal = 1U << 1;

unsigned filesystem_rights(int abi) {
  if (abi >= 5) return kRightsOfAbi5;
  if (abi >= 3) return kRightsOfAbi3;
  return abi == 2 ? kRightsOfAbi2 : kRightsOfAbi1;
}

}  // namespace

LandlockAttributes landlock_attributes(int abi) {
  LandlockAttributes attributes;
  attributes.filesystem = (std::uint64_t{1} << filesystem_rights(abi)) - 1;
  if (abi >= 4) attributes.network = kBindTcp | kConnectTcp;
  if (abi >= 6) attributes.scoped = kScopeAbstractUnixSocket | kScopeSignal;
  return attributes;
}

std::size_t landlock_attributes_size(int abi) {
  if (abi >= 6) return sizeof(LandlockAttributes);
  return abi >= 4 ? offsetof(LandlockAttributes, scoped) : offsetof(LandlockAttributes, network);
}

int landlock_abi() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

Result<void> allow_execution(int ruleset, int place) {
  const PathBeneath rule{kExecuteRight | kReadFileRight, place};
  if (::syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &rule, 0) != 0) {
    return std::unexpected(system_error("landlock_add_rule", errno));
  }
  return {};
}

Result<Fd> make_ruleset(std::span<const int> executable) {
  const int abi = landlock_abi();
  if (abi == 0) {
    return std::unexpected(
        Error{"this kernel has no Landlock; use Linux 5.13 or later with landlock in the lsm= "
              "list, or a policy that does not require LANDLOCK"});
  }
  const LandlockAttributes attributes = landlock_attributes(abi);
  Fd ruleset(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attributes, landlock_attributes_size(abi), 0)));
  if (!ruleset) return std::unexpected(system_error("landlock_create_ruleset", errno));
  for (const int place : executable) {
    if (const auto allowed = allow_execution(ruleset.get(), place); !allowed) {
      return std::unexpected(allowed.error());
    }
  }
  return ruleset;
}

}  // namespace torno::filter
