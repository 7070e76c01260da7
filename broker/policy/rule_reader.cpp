#include "broker/policy/rule_reader.h"

#include <algorithm>
#include <utility>

#include "broker/base/error.h"
#include "broker/policy/environment.h"
#include "broker/policy/file_rules.h"
#include "broker/policy/glob.h"
#include "broker/policy/procfs.h"
#include "broker/policy/quantity.h"
#include "broker/policy/suggest.h"
#include "broker/policy/variables.h"

namespace torno::policy {
namespace {

constexpr std::uint32_t kMaxArgument = 5;

// Each is a mount of every program that is started.
constexpr int kMaxTemporaries = 16;

Permissions bit(Permission permission) {
  switch (permission) {
    case READ:
      return kRead;
    case WRITE:
      return kWrite;
    case CREATE:
      return kCreate;
    case EXECUTE:
      return kExecute;
    case STAT:
      return kStat;
    default:
      return kNone;
  }
}

Permissions bit(FileType type) {
  switch (type) {
    case CHARACTER_DEVICE:
      return kCharacterDevice;
    case BLOCK_DEVICE:
      return kBlockDevice;
    case FIFO:
      return kFifo;
    case SOCKET:
      return kSocket;
    default:
      return kNone;
  }
}

template <typename Value>
Permissions bits(const google::protobuf::RepeatedField<int>& list) {
  Permissions all = kNone;
  for (const int value : list) all |= bit(static_cast<Value>(value));
  return all;
}

}  // namespace

RuleReader::RuleReader(const LoadOptions& options, Draft& draft, Report& report)
    : options_(options), draft_(draft), report_(report) {
  for (const std::string& path : options.protected_paths) {
    if (!path.starts_with('/')) {
      report.error({},
                   "the broker's own path '" + escape(path) + "' is relative; make it absolute");
      continue;
    }
    draft.protected_paths.push_back(links_.resolve(path).path);
  }
}

void RuleReader::read(const Located& root, bool included) {
  included_ = included;
  const auto& policy = static_cast<const PolicyFile&>(root.message());
  for (int i = 0; i < policy.file_size(); ++i) read_file(root.nested("file", i));
  for (int i = 0; i < policy.connect_size(); ++i) read_connect(root.nested("connect", i));
  for (int i = 0; i < policy.syscall_size(); ++i) read_syscall(root.nested("syscall", i));
  for (int i = 0; i < policy.expect_size(); ++i) read_expect(root.nested("expect", i));
  for (int i = 0; i < policy.temporary_size(); ++i) read_temporary(root.nested("temporary", i));
  read_environment(root);
  const auto add = [](const auto& walls, auto& merged) {
    for (const int wall : walls) {
      if (std::ranges::find(merged, wall) == merged.end()) merged.Add(wall);
    }
  };
  add(policy.require(), *draft_.merged.mutable_require());
  add(policy.wall(), *draft_.merged.mutable_wall());
}

bool RuleReader::check_temporary(const RulePath& path, const Located& temporary) {
  const auto refuse = [&](const char* why) {
    report_.error(temporary.at("path"), "'" + escape(path.written.text()) + "' " + why);
    return false;
  };
  if (!path.pattern.is_literal()) {
    return refuse("names more than one folder; write it without wildcards");
  }
  // A program would not find it at the name that it knows.
  if (!path.links.empty()) return refuse("leads through a symlink; write where it leads");
  const std::string folder = path.pattern.literal_prefix();
  if (folder == "/") return refuse("is the root; name a folder beneath it");
  if (procfs::covers(folder)) return refuse("lies in /proc; name another folder");
  const auto beneath = [](const std::string& inner, const std::string& outer) {
    return inner.starts_with(outer + "/");
  };
  for (const Temporary& other : draft_.merged.temporary()) {
    if (beneath(folder, other.path()) || beneath(other.path(), folder)) {
      return refuse("and another temporary folder lie one in the other; keep one of them");
    }
    if (other.path() == folder) {
      return refuse("is a temporary folder already, of another size; keep one of them");
    }
  }
  return check_protected(path, temporary.at("path"));
}

void RuleReader::read_temporary(const Located& temporary) {
  const auto& message = static_cast<const Temporary&>(temporary.message());
  if (!temporary.names("path") || !temporary.names("size")) {
    report_.error(temporary.start(),
                  "a temporary folder needs both; write path: \"/tmp\" size: \"64M\"");
    return;
  }
  const auto size = parse_size(message.size());
  if (!size || *size == 0) {
    report_.error(temporary.at("size"),
                  size ? "a size of 0 holds nothing; write more" : size.error());
    return;
  }
  auto path = read_path(message.path(), temporary.at("path"));
  if (!path) return;
  const auto& known = draft_.merged.temporary();
  const bool again = std::ranges::any_of(known, [&](const Temporary& other) {
    return other.path() == path->pattern.literal_prefix() && parse_size(other.size()) == size;
  });
  if (again || !check_temporary(*path, temporary)) return;
  if (known.size() == kMaxTemporaries) {
    report_.error(temporary.start(), "more than 16 temporary folders; keep the larger ones");
    return;
  }
  Temporary* merged = draft_.merged.add_temporary();
  merged->set_path(path->pattern.literal_prefix());
  merged->set_size(message.size());

  DraftFileRule rule;
  rule.source = temporary.start();
  rule.allow = kRead | kWrite | kCreate;
  rule.path = std::move(*path);
  rule.path.adapted = true;  // that another rule says the same is no mistake
  for (PathPattern* pattern : {&rule.path.pattern, &rule.path.written}) {
    pattern->components.push_back({Component::Kind::kAnyDepth, "**"});
  }
  FileRule* file = draft_.merged.add_file();
  file->set_path(rule.path.pattern.text());
  for (const Permission permission : {READ, WRITE, CREATE}) file->add_allow(permission);
  draft_.files.push_back(std::move(rule));
}

void RuleReader::read_environment(const Located& root) {
  const auto& names = static_cast<const PolicyFile&>(root.message()).environment();
  auto& merged = *draft_.merged.mutable_environment();
  if (names.empty() && root.names("environment")) {
    // Merged it would say the same as no such field, which is the contrary.
    report_.error(root.at("environment"),
                  "an empty list names no variable; name what stays, such as \"PATH\"");
  }
  for (int i = 0; i < names.size(); ++i) {
    if (auto checked = check_environment_name(names[i]); !checked) {
      report_.error(root.at("environment", i), std::move(checked.error()));
      continue;
    }
    if (std::ranges::find(merged, names[i]) != merged.end()) continue;
    if (merged.size() == kMaxEnvironmentNames) {
      report_.error(root.at("environment", i),
                    "more than 1000 names of variables; write '*' behind what several begin with");
      return;
    }
    merged.Add(std::string(names[i]));
  }
}

std::optional<RulePath> RuleReader::read_path(const std::string& text, const RuleSource& where) {
  const auto expanded = expand(text, InGlob::kYes, options_.variables);
  if (!expanded) {
    report_.error(where, expanded.error());
    return std::nullopt;
  }
  auto written = PathPattern::parse(expanded->text);
  if (!written) {
    report_.error(where, std::move(written.error()));
    return std::nullopt;
  }
  Destination destination = links_.resolve(written->literal_prefix(), may_look());
  RulePath path;
  path.hidden = destination.hidden;
  path.pattern = written->with_prefix(destination.path);
  path.written = std::move(*written);
  path.links = std::move(destination.links);
  path.adapted = expanded->used_variable || !path.links.empty();
  return path;
}

bool RuleReader::check_protected(const RulePath& path, const RuleSource& where) {
  const std::string reached = path.pattern.literal_prefix();
  for (const std::string& own : draft_.protected_paths) {
    if (reached == own || reached.starts_with(own + "/") || own == "/") {
      report_.error(where, "'" + escape(path.written.text()) +
                               "' reaches the broker's own files at " + escape(own) +
                               "; remove the rule");
      return false;
    }
  }
  return true;
}

// What an allow rule allows there is refused by the policies in force anyway.
bool RuleReader::check_shown(const RulePath& path, const RuleSource& where) {
  if (!path.hidden) return true;
  report_.error(where, "'" + escape(path.written.text()) +
                           "' lies where the policies in force show nothing, and a symlink there "
                           "might lead elsewhere; remove the rule");
  return false;
}

void RuleReader::read_file(const Located& rule) {
  const auto& message = static_cast<const FileRule&>(rule.message());
  if (!rule.names("path")) {
    report_.error(rule.start(), "a file rule without a path; add path: \"/...\"");
    return;
  }
  DraftFileRule draft;
  draft.source = rule.start();
  draft.allow = bits<Permission>(message.allow());
  draft.deny = bits<Permission>(message.deny());
  if (draft.allow == kNone && draft.deny == kNone) {
    report_.error(rule.start(), "a file rule that neither allows nor denies; add allow: or deny:");
    return;
  }
  if (const auto both = static_cast<Permissions>(draft.allow & denied_by(draft.deny)); both != 0) {
    report_.error(rule.at("deny"), "the rule allows and denies " + to_string(both) +
                                       " at once; remove one of the two");
    return;
  }
  (draft.allow != kNone ? draft.allow : draft.deny) |= bits<FileType>(message.type());

  auto path = read_path(message.path(), rule.at("path"));
  if (!path) return;
  const bool allows = draft.allow != kNone;
  if (allows && !check_protected(*path, rule.at("path"))) return;
  if (draft.deny != kNone && !check_shown(*path, rule.at("path"))) return;
  draft.path = std::move(*path);
  FileRule* merged = draft_.merged.add_file();
  *merged = message;
  merged->set_path(draft.path.pattern.text());
  draft_.files.push_back(std::move(draft));
}

void RuleReader::read_syscall(const Located& rule) {
  const auto& message = static_cast<const SyscallRule&>(rule.message());
  if (message.name().empty()) {
    report_.error(rule.start(), "a syscall rule without a name; add name: \"...\"");
  }
  if (message.action() == ACTION_UNSPECIFIED) {
    report_.error(rule.start(),
                  "a syscall rule without an action; add action: "
                  "ALLOW, ERRNO, TRAP, KILL or LOG");
  } else if (message.action() == ERRNO && !errno_value(message.errno_name())) {
    report_.error(rule.at("errno"), message.errno_name().empty()
                                        ? "action ERRNO without a value; add errno: \"EPERM\""
                                        : "'" + escape(message.errno_name()) +
                                              "' is no errno name; write one such as EPERM");
  } else if (message.action() != ERRNO && rule.names("errno")) {
    report_.error(rule.at("errno"), "errno belongs to action: ERRNO; remove it");
  }
  for (int i = 0; i < message.arg_size(); ++i) {
    const Located argument = rule.nested("arg", i);
    const Argument& arg = message.arg(i);
    if (arg.index() > kMaxArgument) {
      report_.error(argument.at("index"), "a system call has six arguments; write index 0 to 5");
    }
    if (arg.op() == OPERATOR_UNSPECIFIED) {
      report_.error(argument.start(),
                    "an argument without op; add op: EQ, NE, LT, LE, GT, GE or "
                    "MASKED_EQ");
    }
    if ((arg.op() == MASKED_EQ) != argument.names("mask")) {
      report_.error(argument.start(), "mask and op: MASKED_EQ belong together; write both");
    } else if (arg.op() == MASKED_EQ && (arg.value() & ~arg.mask()) != 0) {
      report_.error(argument.at("value"),
                    "the value has bits that the mask takes away, so it never "
                    "matches; correct one");
    }
  }
  *draft_.merged.add_syscall() = message;
  SyscallPlaces places{rule.start(), rule.at("name"), rule.at("action"), {}};
  for (int i = 0; i < message.arg_size(); ++i) {
    places.arguments.push_back(rule.nested("arg", i).start());
  }
  draft_.syscall_places.push_back(std::move(places));
}

void RuleReader::read_expect(const Located& rule) {
  const auto& message = static_cast<const Expect&>(rule.message());
  DraftExpectation draft;
  draft.source = rule.start();
  draft.allow = bits<Permission>(message.allow());
  draft.deny = bits<Permission>(message.deny());
  draft.refused = message.refused();
  const bool permissions = draft.allow != kNone || draft.deny != kNone;
  const bool of_path =
      rule.names("path") && permissions && !rule.names("connect") && !rule.names("refused");
  const bool of_connect = rule.names("connect") && !permissions && !rule.names("path");
  if (!of_path && !of_connect) {
    report_.error(rule.start(),
                  "expect needs either path: with allow: or "
                  "deny:, or connect: and perhaps "
                  "refused: true");
    return;
  }
  if (of_path) {
    const auto path = read_path(message.path(), rule.at("path"));
    if (!path) return;
    if (!path->pattern.is_literal()) {
      report_.error(rule.at("path"), "expect is about one path; write it without wildcards");
      return;
    }
    draft.path = path->pattern.literal_prefix();
    draft.written = path->written.literal_prefix();
  } else {
    const auto text = expand(message.connect(), InGlob::kNo, options_.variables);
    auto endpoint = text ? parse_endpoint(text->text) : std::unexpected(text.error());
    if (!endpoint) {
      report_.error(rule.at("connect"), std::move(endpoint.error()));
      return;
    }
    if (endpoint->kind == Endpoint::Kind::kUnixPath) {
      endpoint->name = links_.resolve(endpoint->name, may_look()).path;
    }
    draft.endpoint = std::move(*endpoint);
    draft.written = text->text;
  }
  draft_.expectations.push_back(std::move(draft));
}

}  // namespace torno::policy
