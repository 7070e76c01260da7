#include "broker/launch/run_policy.h"

#include <google/protobuf/stubs/strutil.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "broker/files/protected.h"
#include "broker/filter/executables.h"
#include "broker/filter/program.h"
#include "broker/policy/narrow.h"

namespace torno::launch {

namespace {

// As a rule's path means it: none of a pattern's characters, nor a variable's.
std::string literal(std::string_view path) {
  constexpr std::string_view kSpecial = "*?[{\\$";
  std::string out;
  for (const char c : path) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string file_rule(std::string_view pattern, std::string_view allow) {
  return "file { path: \"" + google::protobuf::CEscape(std::string(pattern)) +
         "\" allow: " + std::string(allow) + " }\n";
}

// A rule for what the user named: a folder with all beneath it, a file, or one that is yet to be
// made in a folder that is there.
Result<std::string> rule_for(const std::string& option, const std::string& word,
                             std::string_view allow) {
  const auto canonical = [](const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                           &std::free);
    return real != nullptr ? std::string(real.get()) : std::string();
  };
  std::string path = canonical(word);
  if (path.empty() && errno == ENOENT && allow != "READ" && !word.ends_with('/')) {
    const std::size_t slash = word.rfind('/');
    const std::string name = word.substr(slash + 1);  // npos + 1 is 0
    const std::string folder =
        canonical(slash == std::string::npos ? "." : word.substr(0, slash + 1));
    if (!folder.empty() && name != ".." && name != ".") {
      path = (folder == "/" ? "" : folder) + "/" + name;
    }
  }
  if (path.empty()) {
    return std::unexpected(Error{system_error(option + " " + escape(word), errno).message +
                                 "; name a file or folder that is there"});
  }
  struct stat status{};
  const bool folder = ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  const std::string tree = path == "/" ? "/**" : literal(path) + "/**";
  return file_rule(folder ? tree : literal(path), allow);
}

Result<std::string> added_text(const RunPolicy& wanted, std::size_t first_policy,
                               std::size_t first_profile) {
  std::string text;
  for (std::size_t i = first_policy; i < wanted.policies.size(); ++i) {
    text += "include: \"" + google::protobuf::CEscape(wanted.policies[i]) + "\"\n";
  }
  for (std::size_t i = first_profile; i < wanted.profiles.size(); ++i) {
    text += "include: \"" + google::protobuf::CEscape(wanted.profiles[i]) + "\"\n";
  }
  for (const std::string& word : wanted.read) {
    const auto rule = rule_for("--read", word, "READ");
    if (!rule) return rule;
    text += *rule;
  }
  for (const std::string& word : wanted.write) {
    const auto rule = rule_for("--write", word, "[READ, WRITE, CREATE]");
    if (!rule) return rule;
    text += *rule;
  }
  return text;
}

using Diagnostics = std::vector<policy::Diagnostic>;

bool has_error(const Diagnostics& diagnostics) {
  return std::ranges::any_of(diagnostics, [](const policy::Diagnostic& diagnostic) {
    return diagnostic.severity == policy::Diagnostic::Severity::kError;
  });
}

void add_error(Diagnostics& diagnostics, policy::RuleSource where, std::string message) {
  diagnostics.push_back(
      {policy::Diagnostic::Severity::kError, std::move(where), std::move(message)});
}

// What the user names is the machine's, and nothing of that is in a folder of the program's own.
void check_seen(const RunPolicy& wanted, const policy::Policy& policy, Diagnostics& diagnostics) {
  for (const auto* words : {&wanted.read, &wanted.write}) {
    for (const std::string& word : *words) {
      std::error_code error;
      const std::string path = std::filesystem::weakly_canonical(word, error).string();
      for (const policy::Temporary& folder : policy.merged().temporary()) {
        if (path != folder.path() && !path.starts_with(folder.path() + "/")) continue;
        add_error(diagnostics, {},
                  "'" + escape(word) + "' is not seen by the program, for which the policy makes " +
                      escape(folder.path()) + " a temporary folder of its own; put it elsewhere");
        return;
      }
    }
  }
}

// The program needs no rule to be executed, but one that denies it holds.
void check_start(const Program& program, const policy::Policy& policy, Diagnostics& diagnostics) {
  for (const ProgramFile& file : program.chain) {
    const policy::Verdict verdict = policy.decide_file(file.real_path, policy::kExecute);
    if (verdict.allowed || verdict.rule == nullptr) continue;
    add_error(diagnostics, *verdict.rule,
              "the rule denies EXECUTE of " + escape(file.real_path) +
                  ", which the program needs; remove it, or run another program");
    return;
  }
}

void append(Diagnostics& diagnostics, Diagnostics more) {
  std::ranges::move(more, std::back_inserter(diagnostics));
}

// The first kind of error is told; what follows from it would only confuse.
void check_policy(const RunPolicy& wanted, const Program& program, const policy::Policy& policy,
                  Diagnostics& diagnostics) {
  check_seen(wanted, policy, diagnostics);
  if (!has_error(diagnostics)) check_start(program, policy, diagnostics);
  if (!has_error(diagnostics)) append(diagnostics, filter::check(policy));
  if (!has_error(diagnostics) && filter::allows_execution(policy)) {
    append(diagnostics, filter::executables(policy).errors);
  }
}

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

constexpr const char* kText = "<policy>";

}  // namespace

Result<policy::LoadOptions> load_options(const std::vector<std::string>& assignments) {
  std::error_code ignored;  // without a working directory ${CWD} is empty, and rules say so
  const std::string cwd = std::filesystem::current_path(ignored).string();
  policy::LoadOptions options;
  options.directories = policy::default_directories();
  options.variables = policy::default_variables(::getuid(), ::getpid(), cwd);
  options.allow_paths = true;
  const char* socket = ::secure_getenv("TORNO_BROKER");
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

RunLoaded load_run_policy(const RunPolicy& wanted, const Program& program,
                          const std::string& preload, policy::LoadOptions options) {
  const bool by_text = !wanted.text.empty();
  const bool by_policy = !by_text && !wanted.policies.empty();
  const bool by_profile = !by_text && !by_policy && !wanted.profiles.empty();
  const std::string root = by_policy    ? wanted.policies.front()
                           : by_profile ? wanted.profiles.front()
                                        : std::string("base");
  RunLoaded result;
  auto added = added_text(wanted, by_policy ? 1 : 0, by_profile ? 1 : 0);
  if (!added) {
    add_error(result.diagnostics, {}, std::move(added.error().message));
    return result;
  }
  options.added = std::move(*added);
  for (const ProgramFile& file : program.chain) options.readable.push_back(file.real_path);
  if (!preload.empty()) options.readable.push_back(preload);
  // Names are names here, whatever lies in the working directory: a file called "base" there may be
  // the work of the program that was run last.
  policy::Loaded loaded =
      by_text ? policy::load_text_narrowed(wanted.text, kText, options, wanted.limit)
              : policy::load_narrowed(root, options, wanted.limit);
  result.diagnostics = std::move(loaded.diagnostics);
  if (!has_error(result.diagnostics)) {
    check_policy(wanted, program, *loaded.policy, result.diagnostics);
  }
  if (!has_error(result.diagnostics)) result.policy = std::move(loaded.policy);
  return result;
}

}  // namespace torno::launch
