// What makes of the library one that `torno run --mode trap` has the loader put into a program: it
// seals the program before other constructors run.
#include <string.h>

#include "sandboxee/enter.h"
#include "sandboxee/fatal.h"
#include "sandboxee/include/torno/torno.h"

namespace torno {
namespace {

constexpr char kVariable[] = "LD_PRELOAD=";

// The launcher put this library before all others. What follows it is the user's, and stays.
void leave_variable(char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable) {
    char* const value = *variable + sizeof kVariable - 1;
    if (strncmp(*variable, kVariable, sizeof kVariable - 1) != 0) {
      *kept++ = *variable;
      continue;
    }
    char* const rest = strchr(value, ':');
    if (rest != nullptr) {
      memmove(value, rest + 1, strlen(rest + 1) + 1);
      *kept++ = *variable;
    } else {
      memset(*variable, 0, strlen(*variable));
    }
  }
  *kept = nullptr;
}

// An initfirst library's constructor runs before libc's, which is why it goes by its argument.
[[gnu::constructor]] void start(int, char**, char** environment) {
  leave_variable(environment);
  char text[TORNO_ERROR_SIZE];
  Failure fail(text, sizeof text);
  if (!enter_launched(fail)) fatal(fail);
}

}  // namespace
}  // namespace torno
