// Process: what /proc tells about the confinement of a process, thread by thread. The kernel
// keeps filter, no_new_privs and capabilities for every thread apart, so one that was missed at
// the seal shows only in its own status.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "broker/base/error.h"

namespace torno::cli {

// Of one thread, as the kernel's words in /proc/PID/task/TID/status; empty where the kernel has
// no such line.
struct Confinement {
  std::string seccomp;  // "0", "1" or "2"
  std::string filters;  // number of filters (since Linux 5.9)
  std::string no_new_privs;
  std::string inheritable;  // capability sets, hexadecimal
  std::string permitted;
  std::string effective;
  std::string bounding;
  std::string ambient;

  bool operator==(const Confinement&) const = default;
};

struct Thread {
  pid_t id = 0;
  Confinement confinement;
};

// A namespace that the process is in and the asker is not; `known` is false where the kernel does
// not tell this user.
struct Namespace {
  std::string name;  // "pid", "mount", ...
  bool known = true;
  bool own = false;
};

struct Process {
  std::string name;
  std::string uid;              // effective
  std::vector<Thread> threads;  // the first is the main one
  std::vector<Namespace> namespaces;
};

Result<Process> read_process(pid_t pid);

}  // namespace torno::cli
