// Limits: what holds each of a launched program's limits: a cgroup, where this user may have one,
// or the kernel's limits of single processes and users.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/launch/cgroup.h"
#include "broker/policy/policy.h"
#include "broker/session/walls.h"

namespace torno::launch {

class Limits {
 public:
  // Fails when nothing here could hold a limit of the policy's, or not as it requires.
  static Result<Limits> make(const policy::PolicyFile& policy);

  // What the program's process is to put up itself in these namespaces (CLONE_NEW*). Fails when
  // nothing holds a limit in them.
  Result<std::vector<session::ResourceLimit>> for_process(std::uint64_t namespaces) const;

  // Takes the program into its cgroup, before its exec.
  Result<void> hold(pid_t program) const { return cgroup_.add(program); }

  // "memory: cgroup v2", for each that a cgroup may hold.
  std::vector<std::string> names() const;
  bool has_cgroup() const;

  // As the policy writes it, when the kernel killed somebody for it; empty: it did not.
  std::string memory_used_up() const;

  // Kills whoever is left in the cgroup, and removes it.
  void end() { cgroup_.end(); }

 private:
  bool held(Controller controller) const { return cgroup_.version(controller).has_value(); }
  bool counts_processes() const { return limit_.processes() > 1; }

  policy::Limit limit_;
  std::vector<session::ResourceLimit> resources_;
  Cgroup cgroup_;
};

}  // namespace torno::launch
