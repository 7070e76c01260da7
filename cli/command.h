// The subcommands: each adds itself to the command line, and sets `status` when it has run.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace torno::cli {

inline constexpr int kExitOk = 0;       // check: no error; why: allowed
inline constexpr int kExitRefused = 1;  // check: an error in a policy; why: denied
inline constexpr int kExitTrouble = 2;  // no answer: a wrong argument, or what cannot be read

// torno run exits with the program's status, or with this when Torno itself failed.
inline constexpr int kExitFailed = 125;

void add_check(CLI::App& app, int& status);
void add_why(CLI::App& app, int& status);
void add_syscall(CLI::App& app, int& status);
void add_status(CLI::App& app, int& status);
// `command`: "--" and the words behind it, which are no options of Torno's; or nothing.
void add_run(CLI::App& app, std::vector<std::string> command, int& status);

}  // namespace torno::cli
