#include "cli/policies.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "broker/files/protected.h"
#include "cli/message.h"

namespace torno::cli {

namespace {

// Where a service listens; the library in sandboxed programs asks there as well.
constexpr const char* kServiceSocket = "/run/torno/broker.sock";

bool is_variable_name(std::string_view name) {
  if (name.empty() || std::isupper(static_cast<unsigned char>(name.front())) == 0) return false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isupper(byte) == 0 && std::isdigit(byte) == 0 && c != '_') return false;
  }
  return true;
}

bool is_file(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Result<policy::LoadOptions> load_options(const std::vector<std::string>& assignments) {
  std::error_code ignored;  // without a working directory ${CWD} is empty, and rules say so
  const std::string cwd = std::filesystem::current_path(ignored).string();
  policy::LoadOptions options;
  options.directories = policy::default_directories();
  options.variables = policy::default_variables(getuid(), getpid(), cwd);
  options.allow_paths = true;
  const char* socket = secure_getenv("TORNO_BROKER");
  options.protected_paths =
      files::brokers_own(socket != nullptr ? socket : kServiceSocket, options.directories);
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || !is_variable_name(assignment.substr(0, equals))) {
      return std::unexpected(
          Error{"--set " + escape(assignment) + ": say NAME=VALUE, with a name of A-Z, 0-9 and _"});
    }
    options.variables[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  return options;
}

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
