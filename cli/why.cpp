// torno why: which rule decides? Asks the engine that enforcement asks, about what a path
// canonically leads to.
#include <fcntl.h>
#include <sys/stat.h>

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/files/procfs.h"
#include "broker/files/protected.h"
#include "broker/files/syscalls.h"
#include "broker/policy/network.h"
#include "cli/canonical.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/policies.h"

namespace torno::cli {

namespace {

using policy::Permissions;
using policy::Policy;
using policy::Verdict;

constexpr const char* kFooter =
    "PERMISSION and PATH:   READ, WRITE, CREATE, EXECUTE or STAT, and a path\n"
    "CONNECT and ADDRESS:   127.0.0.1:80, [::1]:80, unix:/run/x.sock,\n"
    "                       and abstract:NAME or unix:@NAME, which are the same\n"
    "\n"
    "Examples:\n"
    "  torno why --policy png.policy READ /etc/shadow\n"
    "  torno why --policy NO_NETWORK CONNECT 127.0.0.1:80\n"
    "  torno why --policy out.policy --set OUT=/tmp/out CREATE /tmp/out/image.ppm\n"
    "\n"
    "Exit status: 0 allowed, 1 denied, 2 no answer (a wrong argument, an error in the policy).";

struct Arguments {
  std::string policy;
  std::vector<std::string> assignments;
  std::string permission;
  std::string subject;
};

// "allowed: READ /x by FILE:LINE".
int tell(bool allowed, const std::string& question, const Verdict& verdict, const Policy& policy,
         const std::string& reason = "") {
  std::string line = (allowed ? "allowed: " : "denied: ") + question;
  if (verdict.rule != nullptr) {
    line += " by " + escape(verdict.rule->file);
    if (verdict.rule->line != 0) line += ":" + std::to_string(verdict.rule->line);
  } else if (!reason.empty()) {
    line += ": " + reason;
  } else {
    line += ": no rule of policy '" + escape(policy.name()) + "' allows it";
  }
  answer(line);
  return allowed ? kExitOk : kExitRefused;
}

// Opening a special file needs its type as well; looking at one does not.
Permissions special_type(mode_t type) {
  switch (type) {
    case S_IFCHR:
      return policy::kCharacterDevice;
    case S_IFBLK:
      return policy::kBlockDevice;
    case S_IFIFO:
      return policy::kFifo;
    case S_IFSOCK:
      return policy::kSocket;
    default:
      return policy::kNone;
  }
}

Permissions permission_of(const std::string& word) {
  for (const Permissions one :
       {policy::kRead, policy::kWrite, policy::kCreate, policy::kExecute, policy::kStat}) {
    if (policy::to_string(one) == word) return one;
  }
  return policy::kNone;
}

// Of /proc the broker hands out less than any policy may say.
bool is_off_limits(const std::string& path, Permissions wanted) {
  return files::procfs::covers(path) && !files::procfs::permits(path, wanted);
}

// The same for what belongs to the broker, under whatever name: its files are known by their
// inodes, beside the rule that the policy has for their names.
bool is_brokers_own(const files::Protected& own, const Canonical& place) {
  struct statx status{};
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  return place.error == 0 && !files::procfs::covers(place.path) &&
         statx(AT_FDCWD, place.path.c_str(), kFlags, files::kIdentityMask, &status) == 0 &&
         own.is(status);
}

// Was the policy read from the file at that place, under whatever name?
bool is_policys_own(const Policy& policy, const Canonical& place) {
  struct statx status{};
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  return place.error == 0 &&
         statx(AT_FDCWD, place.path.c_str(), kFlags, policy::FileIdentity::kMask, &status) == 0 &&
         policy.is_read_from(policy::FileIdentity::of(status));
}

constexpr const char* kPolicysOwn = "the policy was read from that file";

constexpr const char* kBrokersOwn =
    "it is the broker's own socket or policy directory by another name";

constexpr const char* kOffLimits =
    "of /proc only the process's own part and some harmless files are ever handed out";

// The first place on the way that the policy does not show: the broker passes no such one. Null
// when there is none.
const std::string* hidden_place(const Policy& policy, const Canonical& place) {
  if (!place.walked) return nullptr;
  for (const std::string& passed : place.passed) {
    const Verdict verdict = policy.decide_file(passed, policy::kStat);
    const bool shown = verdict.allowed || verdict.leads;
    if (!shown || is_off_limits(passed, policy::kStat)) return &passed;
  }
  return nullptr;
}

int tell_hidden(const std::string& question, const std::string& hidden, const Policy& policy) {
  const bool off_limits = is_off_limits(hidden, policy::kStat);
  const Verdict verdict = off_limits ? Verdict{} : policy.decide_file(hidden, policy::kStat);
  return tell(false, question, verdict, policy,
              off_limits ? kOffLimits : "on the way " + escape(hidden) + " may not be seen");
}

// What a reader of the verdict should know of the way to it.
void explain_way(const std::string& asked, const Canonical& place) {
  if (asked != place.path) answer("  " + escape(asked) + " leads to " + escape(place.path));
  if (is_off_limits(place.path, policy::kNone)) return;
  if (place.error == ENOENT) {
    answer("  nothing exists there now; if a symlink or a special file comes there, ask again");
  } else if (place.error != 0) {
    answer("  what is there cannot be seen by this user (" + errno_name(place.error) +
           "): symlinks on the way were not followed");
  }
}

int why_file(const Policy& policy, const files::Protected& own, Permissions wanted,
             const std::string& path) {
  // To make or remove an entry concerns the entry itself, even when it is a symlink.
  const Result<Canonical> place = canonicalise(path, wanted != policy::kCreate);
  if (!place) {
    say_error(place.error().message);
    return kExitTrouble;
  }
  std::string question = policy::to_string(wanted) + " " + escape(place->path);
  if (const std::string* hidden = hidden_place(policy, *place); hidden != nullptr) {
    const int status = tell_hidden(question, *hidden, policy);
    explain_way(path, *place);
    return status;
  }
  if ((wanted & (policy::kRead | policy::kWrite)) != 0) wanted |= special_type(place->type);
  question = policy::to_string(wanted) + " " + escape(place->path);
  const Verdict verdict = policy.decide_file(place->path, wanted);
  const bool off_limits = verdict.allowed && is_off_limits(place->path, wanted);
  const bool leads = !verdict.allowed && verdict.leads;
  const bool enough = leads && wanted == policy::kStat && (place->type | S_IFDIR) == S_IFDIR;
  int status = kExitRefused;
  if (off_limits) {
    status = tell(false, question, {}, policy, kOffLimits);
  } else if ((verdict.allowed || enough) && is_brokers_own(own, *place)) {
    status = tell(false, question, {}, policy, kBrokersOwn);
  } else if (verdict.allowed && (wanted & policy::kWrite) != 0 && is_policys_own(policy, *place)) {
    status = tell(false, question, {}, policy, kPolicysOwn);
  } else {
    status = tell(verdict.allowed || enough, question, verdict, policy,
                  enough ? "it leads to something allowed" : "");
  }
  if (leads && !enough) {
    answer(
        "  it leads to something allowed: stat, access(F_OK or X_OK) and readlink see it, no more");
  }
  explain_way(path, *place);
  return status;
}

int why_connect(const Policy& policy, const files::Protected& own, const std::string& text) {
  auto asked = policy::parse_endpoint(text);
  if (!asked) {
    say_error(asked.error());
    return kExitTrouble;
  }
  if (asked->kind != policy::Endpoint::Kind::kUnixPath) {
    const Verdict verdict = policy.decide_connect(asked->endpoint());
    return tell(verdict.allowed, "CONNECT " + escape(text), verdict, policy);
  }
  const std::string path = asked->name;
  const Result<Canonical> place = canonicalise(path, true);
  if (!place) {
    say_error(place.error().message);
    return kExitTrouble;
  }
  const std::string question = "CONNECT unix:" + escape(place->path);
  asked->name = place->path;
  int status = kExitRefused;
  if (const std::string* hidden = hidden_place(policy, *place); hidden != nullptr) {
    status = tell_hidden(question, *hidden, policy);
  } else {
    const Verdict verdict = policy.decide_connect(asked->endpoint());
    status = verdict.allowed && is_brokers_own(own, *place)
                 ? tell(false, question, {}, policy, kBrokersOwn)
                 : tell(verdict.allowed, question, verdict, policy);
  }
  explain_way(path, *place);
  return status;
}

int why(const Arguments& arguments) {
  const Result<policy::LoadOptions> options = load_options(arguments.assignments);
  if (!options) {
    say_error(options.error().message);
    return kExitTrouble;
  }
  const Permissions wanted = permission_of(arguments.permission);
  const bool connect = arguments.permission == "CONNECT";
  if (arguments.permission == "BIND") {
    say_error("BIND: rules for bind are not built in this version");
    return kExitTrouble;
  }
  if (wanted == policy::kNone && !connect) {
    say_error("'" + escape(arguments.permission) +
              "' is no permission: say READ, WRITE, CREATE, EXECUTE, STAT or CONNECT");
    return kExitTrouble;
  }
  const Result<files::Protected> own = files::Protected::find(options->protected_paths);
  if (!own) {
    say_error(own.error().message);
    return kExitTrouble;
  }
  const policy::Loaded loaded = load_policy(arguments.policy, *options);
  if (!report(loaded.diagnostics)) return kExitTrouble;
  return connect ? why_connect(*loaded.policy, *own, arguments.subject)
                 : why_file(*loaded.policy, *own, wanted, arguments.subject);
}

}  // namespace

void add_why(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("why", "Tell whether a policy allows an access, and why");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--policy", arguments->policy, "A policy file, or the name of a policy")
      ->type_name("")
      ->required();
  command
      ->add_option("--set", arguments->assignments,
                   "What ${NAME} in a policy means; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command->add_option("PERMISSION", arguments->permission, "What is asked for")->required();
  command->add_option("SUBJECT", arguments->subject, "A path, or an address for CONNECT")
      ->required();
  command->footer(kFooter);
  command->callback([arguments, &status] { status = why(*arguments); });
}

}  // namespace torno::cli
