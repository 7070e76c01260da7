// Exec: what the kernel itself makes of a program.
#pragma once

#include <string>

namespace torno::launch::test {

// 0 when the kernel starts the program (which is waited for), else the errno value of execve.
int exec_error(const std::string& path);

}  // namespace torno::launch::test
