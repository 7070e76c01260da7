#include "sandboxee/variables.h"

#include <cerrno>
#include <cstring>

#include "sandboxee/include/torno/torno.h"

namespace torno {
namespace {

int count = 0;
char assignments[kMaxVariables][kMaxVariableSize + 1];

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_name(char c) {
  return is_upper(c) || (c >= '0' && c <= '9') || c == '_';
}

bool is_assignment(const char* text) {
  if (!is_upper(*text)) return false;
  while (is_name(*text)) ++text;
  return *text == '=';
}

int fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

int variable_count() {
  return count;
}
const char* variable(int index) {
  return assignments[index];
}

}  // namespace torno

int torno_set(const char* assignment) {
  using namespace torno;
  if (torno_is_confined() != 0) return fail(EBUSY);
  if (assignment == nullptr || !is_assignment(assignment)) return fail(EINVAL);
  const std::size_t size = std::strlen(assignment);
  if (count == kMaxVariables || size > kMaxVariableSize) return fail(ENOSPC);
  std::memcpy(assignments[count++], assignment, size + 1);
  return 0;
}
