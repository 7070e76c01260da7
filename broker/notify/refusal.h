// Refusal: what a call that nobody performs returns.
#pragma once

#include <string>

namespace torno::notify {

// EACCES where a path or an address stands in the way, ENOSYS for a number without a name, else
// EPERM; as docs/syscalls.md says, and as the sandboxee library answers.
int refusal(int number);

// "mkdirat", or the number in digits.
std::string call_name(int number);

}  // namespace torno::notify
