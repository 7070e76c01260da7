// What a refused call says, and what the callback is told of it: as docs/syscalls.md has it.
#include <seccomp.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "broker/filter/groups.h"
#include "tests/sandboxee/scenario.h"

using namespace torno::test;
namespace filter = torno::filter;

namespace {

// The calls that the document names in its paragraph on EACCES.
std::set<std::string> documented_as_eacces() {
  std::ostringstream page;
  page << std::ifstream(TORNO_SOURCE_DIR "/docs/syscalls.md").rdbuf();
  const std::string text = page.str();
  const std::size_t start = text.find("of *paths*, and for");
  CHECK(start != std::string::npos);
  if (start == std::string::npos) return {};
  std::set<std::string> calls;
  std::istringstream parts(text.substr(start, text.find('.', start) - start));
  std::string part;
  for (bool inside = false; std::getline(parts, part, '`'); inside = !inside) {
    if (inside) calls.insert(part);
  }
  return calls;
}

struct Told {
  int error;
  char name[32];
} told;

int expected_error(const std::string& name, bool names_a_path) {
  if (name.ends_with("xattr")) return EOPNOTSUPP;  // as a file system without them
  return names_a_path ? EACCES : EPERM;
}

void remember(const torno_trap* trap, void*) {
  told.error = trap->error;
  std::snprintf(told.name, sizeof told.name, "%s", trap->name);
}

}  // namespace

SCENARIO(refusals_are_as_documented) {
  const std::set<std::string> named = documented_as_eacces();
  struct Expected {
    int number;
    int error;
    std::string name;
  };
  std::vector<Expected> all;
  for (const filter::Group& group : filter::groups()) {
    if (group.kind != filter::Kind::kRefused || group.action != SCMP_ACT_TRAP) continue;
    const bool whole = group.title == "programs" || group.title == "paths";
    for (const std::string_view call : group.calls) {
      const std::string name(call);
      const int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, name.c_str());
      if (number >= 0)
        all.push_back({number, expected_error(name, whole || named.contains(name)), name});
    }
  }
  CHECK(all.size() > 100);

  torno_on_trap(remember, nullptr);
  enter("test");
  for (const Expected& expected : all) {
    told = {};
    errno = 0;
    const long result = syscall(expected.number, 0, 0, 0, 0, 0, 0);
    const int error = errno;
    const bool good = result == -1 && error == expected.error && told.error == expected.error &&
                      expected.name == told.name;
    check(good, __FILE__, __LINE__, expected.name.c_str(), error);
  }
}

SEALED_SCENARIO(a_number_without_a_name_does_not_exist) {
  constexpr long kNoCall = 480;
  CHECK_ERRNO(syscall(kNoCall), ENOSYS);
}
