#include "cli/run_policy.h"

#include <google/protobuf/stubs/strutil.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>

#include "broker/base/error.h"
#include "broker/filter/executables.h"
#include "broker/filter/program.h"
#include "cli/message.h"
#include "cli/policies.h"

namespace torno::cli {

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

Result<std::string> added_text(const RunPolicy& wanted, std::size_t first_profile) {
  std::string text;
  for (std::size_t i = 1; i < wanted.policies.size(); ++i) {
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

// What the user names is the machine's, and nothing of that is in a folder of the program's own.
bool is_seen(const RunPolicy& wanted, const policy::Policy& policy) {
  for (const auto* words : {&wanted.read, &wanted.write}) {
    for (const std::string& word : *words) {
      std::error_code error;
      const std::string path = std::filesystem::weakly_canonical(word, error).string();
      for (const policy::Temporary& folder : policy.merged().temporary()) {
        if (path != folder.path() && !path.starts_with(folder.path() + "/")) continue;
        say_error("'" + escape(word) + "' is not seen by the program, for which the policy makes " +
                  escape(folder.path()) + " a temporary folder of its own; put it elsewhere");
        return false;
      }
    }
  }
  return true;
}

// The program needs no rule to be executed, but one that denies it holds.
bool may_start(const launch::Program& program, const policy::Policy& policy) {
  for (const launch::ProgramFile& file : program.chain) {
    const policy::Verdict verdict = policy.decide_file(file.real_path, policy::kExecute);
    if (verdict.allowed || verdict.rule == nullptr) continue;
    say({policy::Diagnostic::Severity::kError, *verdict.rule,
         "the rule denies EXECUTE of " + escape(file.real_path) +
             ", which the program needs; remove it, or run another program"});
    return false;
  }
  return true;
}

}  // namespace

policy::PolicyPtr load_run_policy(const RunPolicy& wanted, const launch::Program& program,
                                  const std::string& preload, policy::LoadOptions& options) {
  const bool by_policy = !wanted.policies.empty();
  const bool by_profile = !by_policy && !wanted.profiles.empty();
  const std::string root = by_policy    ? wanted.policies.front()
                           : by_profile ? wanted.profiles.front()
                                        : std::string("base");
  const auto added = added_text(wanted, by_profile ? 1 : 0);
  if (!added) {
    say_error(added.error().message);
    return nullptr;
  }
  options.added = *added;
  for (const launch::ProgramFile& file : program.chain) options.readable.push_back(file.real_path);
  if (!preload.empty()) options.readable.push_back(preload);
  // Names are names here, whatever lies in the working directory: a file called "base" there may be
  // the work of the program that was run last.
  const policy::Loaded loaded = policy::load(root, options);
  if (!report(loaded.diagnostics)) return nullptr;
  if (!is_seen(wanted, *loaded.policy)) return nullptr;
  if (!may_start(program, *loaded.policy)) return nullptr;
  if (!report(filter::check(*loaded.policy))) return nullptr;
  if (filter::allows_execution(*loaded.policy) &&
      !report(filter::executables(*loaded.policy).errors)) {
    return nullptr;
  }
  return loaded.policy;
}

}  // namespace torno::cli
