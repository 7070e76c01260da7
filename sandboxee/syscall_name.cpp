#include "sandboxee/syscall_name.h"

extern "C" {
// Generated: syscall_names.cmake.
extern const char* const torno_syscall_names[];
extern const int torno_syscall_name_count;
}

namespace torno {

const char* syscall_name(int number) {
  if (number < 0 || number >= torno_syscall_name_count) return nullptr;
  return torno_syscall_names[number];
}

}  // namespace torno
