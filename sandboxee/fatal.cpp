#include "sandboxee/fatal.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

namespace torno {

void fatal(const Failure& why) {
  constexpr int kTornoFailed = 125;
  static constexpr char kPrefix[] = "torno: fatal: ";
  static constexpr char kEnd[] = "\n";
  const char* const text = why.text();
  const iovec line[] = {{const_cast<char*>(kPrefix), sizeof kPrefix - 1},
                        {const_cast<char*>(text), strlen(text)},
                        {const_cast<char*>(kEnd), sizeof kEnd - 1}};
  if (writev(STDERR_FILENO, line, 3) < 0) _exit(kTornoFailed);
  _exit(kTornoFailed);
}

}  // namespace torno
