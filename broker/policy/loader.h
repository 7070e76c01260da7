// Loader: policy files to a compiled Policy. Reads files, follows includes, replaces variables,
// resolves rules that name a place through a symlink, checks every `expect`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/policy/file_identity.h"
#include "broker/policy/links.h"
#include "broker/policy/policy.h"
#include "broker/policy/stamp.h"

namespace torno::policy {

struct Diagnostic {
  enum class Severity { kError, kWarning };
  Severity severity = Severity::kError;
  RuleSource where;     // file may be empty: then the message stands alone
  std::string message;  // one line, says what to do next

  // "FILE:LINE:COL: error: TEXT", "FILE: error: TEXT" without a line, "error: TEXT".
  std::string text() const;
};

struct LoadOptions {
  // Where NAME.policy is looked for, first match wins. The policies built into the binary
  // (the shipped ones) come last.
  std::vector<std::string> directories;

  // ${NAME} in rules.
  std::map<std::string, std::string> variables;

  // A policy name with a '/' or ending in ".policy" is a path to a file (never for names that a
  // peer of a shared broker sent).
  bool allow_paths = false;

  // Text of a policy that the loaded one is to include beside those it names; messages call it
  // "<command line>". Where paths are allowed, its own includes may be some.
  std::string added;

  // Canonical paths of files that may be read where no rule denies it: the program that is to be
  // started under the policy.
  std::vector<std::string> readable;

  // For a policy that a sealed program wrote: what the broker may look at to follow the symlinks on
  // the way of its rules. Where one leads, or that it is none, must not be told past the policies
  // in force. Rules of the files that it includes are not held to it.
  MayLook may_look;

  // What no rule may reach: sockets and policy directories of the broker. A rule that names
  // such a place is an error; wider globs get an implicit deny there.
  std::vector<std::string> protected_paths;
};

struct Loaded {
  PolicyPtr policy;                     // null when there is an error
  std::vector<Diagnostic> diagnostics;  // errors and warnings in file order
  bool unreadable = false;              // the file itself is missing or cannot be read
  // Of every file that made the policy, and of every name that was looked for in vain: while all
  // hold, loading it again would read the same.
  Stamps stamps;
};

Loaded load(const std::string& name_or_path, const LoadOptions& options);

// The same from text; `file` is the name for messages, `read_from` the file the text is from.
Loaded load_text(const std::string& text, const std::string& file, const LoadOptions& options,
                 const std::optional<FileIdentity>& read_from = {});

// TORNO_POLICY_PATH split at ':', or /etc/torno/policies:/run/torno/policies:
// <prefix>/lib/torno/policies.
std::vector<std::string> default_directories();

// HOME, TMPDIR, UID, PID, CWD of a process with these identities: HOME from the user database,
// TMPDIR "/tmp" (never from an environment a peer chose), CWD as given.
std::map<std::string, std::string> default_variables(unsigned uid, int pid, const std::string& cwd);

}  // namespace torno::policy
