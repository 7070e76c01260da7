// Program: a policy compiled to seccomp BPF, ready to hand to a sandboxee.
#pragma once

#include <linux/filter.h>

#include <memory>
#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/filter/transport.h"
#include "broker/policy/loader.h"
#include "broker/policy/policy.h"

namespace torno::filter {

using Instructions = std::vector<sock_filter>;

// Compiles for the native architecture. An error that lies in a syscall rule names its file, line
// and column ("FILE:LINE:COL: error: TEXT"); check() says it in parts.
Result<Instructions> compile(const policy::Policy& policy, Transport transport = Transport::kTrap);

// All that is wrong with the policy's syscall rules, for either transport. Whoever puts a policy in
// force, or tells whether it is right, asks this first.
std::vector<policy::Diagnostic> check(const policy::Policy& policy);

// The program in a memfd sealed against every change (F_SEAL_WRITE | SHRINK | GROW | SEAL).
Result<Fd> to_memfd(const Instructions& program);

}  // namespace torno::filter
