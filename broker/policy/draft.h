// Draft: a policy as its files say it, before it is compiled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/policy/connect_rules.h"
#include "broker/policy/file_identity.h"
#include "broker/policy/network.h"
#include "broker/policy/path_pattern.h"
#include "broker/policy/permission.h"
#include "broker/policy/verdict.h"
#include "proto/policy.pb.h"

namespace torno::policy {

// Where a rule's path leads on this machine, and how it was written.
struct RulePath {
  PathPattern pattern;  // through no symlink
  PathPattern written;
  std::vector<std::string> links;  // the symlinks between the two
  // It holds a variable or a symlink: that it says here what another rule says is chance.
  bool adapted = false;
  bool hidden = false;  // no symlink on its way was looked for
};

struct DraftFileRule {
  RulePath path;
  Permissions allow = kNone;  // as named, with file types
  Permissions deny = kNone;
  RuleSource source;
};

struct DraftConnectRule {
  std::vector<Network> networks;
  PortRange ports;
  std::optional<RulePath> unix_path;
  std::optional<Component> abstract;
  bool deny = false;
  bool adapted = false;
  RuleSource source;
};

struct DraftExpectation {
  std::string path;  // canonical; empty for a connect
  Permissions allow = kNone;
  Permissions deny = kNone;
  std::optional<EndpointText> endpoint;
  bool refused = false;
  std::string written;  // as the policy names the path or endpoint
  RuleSource source;
};

struct Draft {
  PolicyFile merged;
  std::vector<DraftFileRule> files;
  std::vector<DraftConnectRule> connects;
  std::vector<DraftExpectation> expectations;
  std::vector<SyscallPlaces> syscall_places;
  std::vector<std::string> protected_paths;  // canonical
  std::vector<FileIdentity> read_from;       // its files
  std::vector<std::string> readable;         // canonical, unless a rule denies it
  std::vector<std::string> own_files;        // canonical, of policies that are named by their paths
};

}  // namespace torno::policy
