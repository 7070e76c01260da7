// The walls that torno_enter puts up beside the filter.
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

constexpr std::size_t kPage = 4096;

// Makes a page of its own writing executable, as an exploit or a JIT would.
int make_executable() {
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mprotect(page, kPage, PROT_READ | PROT_EXEC);
}

}  // namespace

SEALED_SCENARIO(privileges_are_gone_for_good) {
  CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
  CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2];
  CHECK(syscall(SYS_capget, &header, sets) == 0);
  for (const auto& set : sets) {
    CHECK(set.effective == 0 && set.permitted == 0 && set.inheritable == 0);
  }
}

SCENARIO(executable_memory_is_refused_where_the_policy_says_so) {
  CHECK(make_executable() == 0);
  enter("still");
  CHECK_ERRNO(make_executable(), EACCES);
}

SEALED_SCENARIO(executable_memory_is_allowed_by_default) {
  CHECK(make_executable() == 0);
}
