#include "broker/notify/refusal.h"

#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "broker/filter/groups.h"

namespace torno::notify {
namespace {

constexpr std::string_view kNamesPathOrAddress[] = {
    "bind",      "sendto",     "chroot",  "pivot_root",    "mount",    "umount2",
    "open_tree", "move_mount", "fspick",  "mount_setattr", "quotactl", "swapon",
    "swapoff",   "acct",       "mq_open", "mq_unlink",
};

std::string name_of(int number) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
  return name != nullptr ? name.get() : std::string();
}

}  // namespace

int refusal(int number) {
  const std::string name = name_of(number);
  if (name.empty()) return ENOSYS;
  // As of a file system without them: cp -p and sed -i then do what they can.
  if (name.ends_with("xattr")) return EOPNOTSUPP;
  const filter::Group* group = filter::group_of(name);
  const bool all = group != nullptr && (group->title == "programs" || group->title == "paths");
  return all || std::ranges::find(kNamesPathOrAddress, name) != std::end(kNamesPathOrAddress)
             ? EACCES
             : EPERM;
}

std::string call_name(int number) {
  const std::string name = name_of(number);
  return name.empty() ? std::to_string(number) : name;
}

}  // namespace torno::notify
