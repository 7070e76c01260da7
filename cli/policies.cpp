#include "cli/policies.h"

#include <sys/stat.h>

#include <algorithm>

#include "cli/message.h"

namespace torno::cli {

namespace {

bool is_file(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

policy::Loaded load_policy(const std::string& word, const policy::LoadOptions& options) {
  const bool bare = word.find('/') == std::string::npos && !word.ends_with(".policy");
  return policy::load(bare && is_file(word) ? "./" + word : word, options);
}

bool report(const std::vector<policy::Diagnostic>& diagnostics) {
  for (const policy::Diagnostic& diagnostic : diagnostics) say(diagnostic);
  return std::ranges::none_of(diagnostics, [](const policy::Diagnostic& diagnostic) {
    return diagnostic.severity == policy::Diagnostic::Severity::kError;
  });
}

}  // namespace torno::cli
