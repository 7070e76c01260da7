#include "sandboxee/layers.h"

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

#include "sandboxee/raw.h"

namespace torno::layers {
namespace {

// Newer than this system's <linux/prctl.h>.
constexpr int kSetMdwe = 65;
constexpr unsigned long kRefuseExecGain = 1;

}  // namespace

// A policy only ever lowers: what is lower already stays.
bool lower_limits(const torno_wire_Welcome& welcome, Failure& fail) {
  for (int i = 0; i < welcome.limits_count; ++i) {
    const torno_wire_ResourceLimit& wanted = welcome.limits[i];
    if (wanted.resource == RLIMIT_NOFILE) {
      return fail(EPROTO, "the broker named RLIMIT_NOFILE among the limits, not as open_files");
    }
    const auto resource = static_cast<__rlimit_resource>(wanted.resource);
    rlimit limit;
    if (getrlimit(resource, &limit) != 0) return fail.system(errno, "cannot read a limit");
    limit.rlim_max = std::min<rlim_t>(limit.rlim_max, wanted.hard);
    limit.rlim_cur = std::min<rlim_t>({limit.rlim_cur, wanted.soft, limit.rlim_max});
    if (setrlimit(resource, &limit) != 0) return fail.system(errno, "cannot lower a limit");
  }
  return true;
}

bool drop_capabilities(Failure& fail) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, sets) != 0)
    return fail.system(errno, "cannot read capabilities");
  unsigned any = 0;
  for (const auto& set : sets) any |= set.effective | set.permitted | set.inheritable;
  if (any == 0) return true;
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, none) != 0)
    return fail.system(errno, "cannot drop capabilities");
  return true;
}

bool set_no_new_privs(Failure& fail) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return true;
  return fail.system(errno, "cannot set no_new_privs");
}

bool refuse_new_executable_memory(Failure& fail) {
  if (prctl(kSetMdwe, kRefuseExecGain, 0, 0, 0) == 0) return true;
  return fail(ENOSYS, "this kernel cannot refuse new executable memory (MDWE, Linux 6.3)");
}

bool restrict_by_landlock(int ruleset, Failure& fail) {
  if (raw::call(__NR_landlock_restrict_self, ruleset, 0) == 0) return true;
  return fail(ENOSYS, "Landlock refuses the broker's ruleset");
}

bool load_filter(const Terms& terms, Failure& fail) {
  sock_fprog program{static_cast<unsigned short>(terms.instruction_count),
                     const_cast<sock_filter*>(terms.instructions)};
  const long result =
      raw::call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (result == 0) return true;
  if (result > 0)
    return fail(EBUSY, "thread %ld cannot be confined: it has another filter", result);
  return fail.system(static_cast<int>(-result), "cannot load the seccomp filter");
}

bool put_up(const Terms& terms, Failure& fail) {
  const auto wanted = [&terms](torno_wire_Layer layer) {
    return (terms.welcome.layers & layer) != 0;
  };
  if (!lower_limits(terms.welcome, fail)) return false;
  if (wanted(torno_wire_Layer_LAYER_CAPABILITIES) && !drop_capabilities(fail)) return false;
  if (!set_no_new_privs(fail)) return false;
  if (wanted(torno_wire_Layer_LAYER_MDWE) && !refuse_new_executable_memory(fail)) return false;
  if (wanted(torno_wire_Layer_LAYER_LANDLOCK) && !restrict_by_landlock(terms.ruleset.get(), fail)) {
    return false;
  }
  return load_filter(terms, fail);
}

}  // namespace torno::layers
