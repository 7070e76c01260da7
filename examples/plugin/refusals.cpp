#include "examples/plugin/refusals.h"

#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace torno::examples {
namespace {

// One line put together on the stack: this runs in a signal handler, where stdio and the heap
// are out of bounds.
class Line {
 public:
  void add(const char* text) {
    for (; *text != '\0' && used_ < sizeof text_ - 1; ++text) text_[used_++] = *text;
  }
  void write_to(int fd) {
    text_[used_++] = '\n';
    const ssize_t written = write(fd, text_, used_);
    static_cast<void>(written);  // nothing can be done about a closed standard error
  }

 private:
  char text_[160];
  std::size_t used_ = 0;
};

void on_refusal(const torno_trap* trap, void*) {
  const int saved = errno;
  const char* error = strerrorname_np(trap->error);  // a constant, so safe here
  Line line;
  line.add("torno-plugin-host: refused ");
  line.add(trap->name);
  line.add(": ");
  line.add(error != nullptr ? error : "an unknown error");
  line.write_to(STDERR_FILENO);
  errno = saved;
}

}  // namespace

void name_refusals() {
  torno_on_trap(&on_refusal, nullptr);
}

}  // namespace torno::examples
