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

Result<Fd> make_ruleset() {
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
  return ruleset;
}

}  // namespace torno::filter
