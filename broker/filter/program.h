// Program: a policy compiled to seccomp BPF, ready to hand to a sandboxee.
#pragma once

#include <linux/filter.h>

#include <memory>
#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/policy/policy.h"

namespace torno::filter {

using Instructions = std::vector<sock_filter>;

// Compiles for the native architecture. Errors name the syscall rule's file, line and column.
Result<Instructions> compile(const policy::Policy& policy);

// The program in a memfd sealed against every change (F_SEAL_WRITE | SHRINK | GROW | SEAL).
Result<Fd> to_memfd(const Instructions& program);

}  // namespace torno::filter
