#include "broker/launch/preload.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "broker/filter/executables.h"
#include "broker/filter/groups.h"
#include "proto/wire.pb.h"

namespace torno::launch {
namespace {

constexpr const char* kBeside = "/../lib/libtorno_preload.so";
constexpr const char* kInstalled = TORNO_LIBRARIES "/libtorno_preload.so";
constexpr std::string_view kVariable = "LD_PRELOAD=";

// The library needs glibc, whose loader it is.
constexpr std::string_view kLoader = "ld-linux-x86-64.so.2";

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real != nullptr ? std::string(real.get()) : std::string();
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Could anybody but root and this process's user have written it, or put it there?
bool is_ours_alone(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return false;
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) return false;
  if ((status.st_mode & S_IWOTH) != 0) return false;
  return (status.st_mode & S_IWGRP) == 0 || status.st_gid == 0 || status.st_gid == ::getegid();
}

// The broker performs these for the session whatever its filter says of them.
const policy::SyscallRule* rule_for_brokered(const policy::PolicyFile& policy) {
  const auto found = std::ranges::find_if(policy.syscall(), [](const policy::SyscallRule& rule) {
    const filter::Group* group = filter::group_of(rule.name());
    return group != nullptr && group->kind == filter::Kind::kBrokered;
  });
  return found != policy.syscall().end() ? &*found : nullptr;
}

bool is_loaded_by_glibc(const Program& program) {
  const std::string& loader = program.chain.back().path;
  return loader.substr(loader.rfind('/') + 1) == kLoader;
}

bool has_room_for_control() {
  rlimit files{};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max > wire::CONTROL_FD;
}

}  // namespace

Result<std::string> find_preload() {
  std::string found = real_path(folder_of(real_path("/proc/self/exe")) + kBeside);
  if (found.empty()) found = real_path(kInstalled);
  if (found.empty()) {
    return std::unexpected(
        Error{"Torno's library is neither in the folder lib beside this program's "
              "nor in " TORNO_LIBRARIES "; install it, or use --mode notify"});
  }
  if (!is_ours_alone(found) || !is_ours_alone(folder_of(found))) {
    return std::unexpected(
        Error{escape(found) + " or its folder can be written by others than root and this user"});
  }
  // The loader would take it for several.
  if (found.find_first_of(": ") != std::string::npos) {
    return std::unexpected(
        Error{escape(found) + " cannot be preloaded, its path has a space or a colon"});
  }
  return found;
}

std::string why_no_trap(const policy::Policy& policy, const Program& program) {
  std::string why;
  if (program.is_static) {
    why = "the program is static, and no loader would load Torno's library into it";
  } else if (!is_loaded_by_glibc(program)) {
    why = "the program's loader is not glibc's, which Torno's library needs";
  } else if (filter::allows_execution(policy)) {
    why =
        "the policy allows EXECUTE, and what the program executes would have the trap filter "
        "without the library that answers it";
  } else if (const auto* rule = rule_for_brokered(policy.merged()); rule != nullptr) {
    why = "the policy has a syscall rule for " + rule->name() +
          ", which the program could go around by asking the broker itself";
  } else if (policy.merged().limit().has_open_files()) {
    why = "the policy limits open_files, and the library needs more until it has its own";
  } else if (!has_room_for_control()) {
    why = "the hard RLIMIT_NOFILE is below " + std::to_string(wire::CONTROL_FD + 1) +
          "; raise it with `ulimit -Hn`";
  }
  return why;
}

void add_preload(const std::string& library, std::vector<std::string>& environment) {
  for (std::string& variable : environment) {
    if (!variable.starts_with(kVariable)) continue;
    variable.insert(kVariable.size(), library + ":");
    return;
  }
  environment.push_back(std::string(kVariable) + library);
}

}  // namespace torno::launch
