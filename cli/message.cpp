#include "cli/message.h"

#include <cstdio>
#include <string>

namespace torno::cli {

namespace {

// One write for the whole line, so that lines of several programs do not mix.
void write_line(std::FILE* stream, std::string line) {
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stream);
}

}  // namespace

void answer(std::string_view line) {
  write_line(stdout, std::string(line));
}

void say_error(std::string_view text) {
  write_line(stderr, "torno: error: " + std::string(text));
}

void say(const policy::Diagnostic& diagnostic) {
  write_line(stderr, "torno: " + diagnostic.text());
}

}  // namespace torno::cli
