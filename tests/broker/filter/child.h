// A child process of a test: the body runs under a program or a ruleset, or under nothing.
#pragma once

#include <functional>
#include <string>

#include "broker/filter/program.h"

namespace torno::filter::test {

// Forks, runs the body, and waits. "exit N" with what the body returned, or "signal N". The body
// makes system calls only; it has the test's memory but must not report failures by itself.
std::string in_child(const std::function<int()>& body);

// For the body: sets no_new_privs and loads the program. False when the kernel does not take it.
bool load_filter(const Instructions& program);

// The same for a Landlock ruleset.
bool enter_ruleset(int ruleset);

std::string exited(int status);
std::string killed_by(int signal);

}  // namespace torno::filter::test
