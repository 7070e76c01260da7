// The connect rules of RuleReader.
#include <utility>

#include "broker/base/error.h"
#include "broker/policy/glob.h"
#include "broker/policy/rule_reader.h"
#include "broker/policy/variables.h"

namespace torno::policy {
namespace {

constexpr std::uint32_t kMaxPort = 65535;
constexpr std::size_t kMaxAbstract = 107;  // sun_path without the leading NUL

}  // namespace

bool RuleReader::read_ports(const Located& rule, DraftConnectRule& draft) {
  const auto& message = static_cast<const ConnectRule&>(rule.message());
  const auto check = [&](const char* field, std::uint32_t port) {
    if (!rule.names(field) || (port >= 1 && port <= kMaxPort)) return true;
    report_.error(rule.at(field), std::to_string(port) + " is no port; write 1 to 65535");
    return false;
  };
  if (!check("port", message.port()) || !check("port_end", message.port_end())) return false;
  if (rule.names("port_end") && (!rule.names("port") || message.port_end() < message.port())) {
    report_.error(rule.at("port_end"),
                  "port_end is the last port of a range; "
                  "write port: with a smaller number");
    return false;
  }
  if (!rule.names("port")) return true;
  draft.ports.first = static_cast<std::uint16_t>(message.port());
  draft.ports.last =
      static_cast<std::uint16_t>(rule.names("port_end") ? message.port_end() : message.port());
  return true;
}

bool RuleReader::read_address(const Located& rule, DraftConnectRule& draft) {
  const auto& message = static_cast<const ConnectRule&>(rule.message());
  if (!rule.names("address")) {
    draft.networks = {Network::around({}, false, 0), Network::around({}, true, 0)};
    return true;
  }
  const auto text = expand(message.address(), InGlob::kNo, options_.variables);
  if (!text) {
    report_.error(rule.at("address"), text.error());
    return false;
  }
  auto network = Network::parse(text->text);
  if (!network) {
    report_.error(rule.at("address"), std::move(network.error()));
    return false;
  }
  draft.networks = {*network};
  draft.adapted = text->used_variable;
  draft_.merged.mutable_connect()->rbegin()->set_address(text->text);
  return true;
}

bool RuleReader::read_unix(const Located& rule, DraftConnectRule& draft) {
  const auto& message = static_cast<const ConnectRule&>(rule.message());
  draft.unix_path = read_path(message.unix(), rule.at("unix"));
  if (!draft.unix_path) return false;
  if (!message.deny() && !check_protected(*draft.unix_path, rule.at("unix"))) return false;
  if (message.deny() && !check_shown(*draft.unix_path, rule.at("unix"))) return false;
  draft.adapted = draft.unix_path->adapted;
  draft_.merged.mutable_connect()->rbegin()->set_unix(draft.unix_path->pattern.text());
  return true;
}

bool RuleReader::read_abstract(const Located& rule, DraftConnectRule& draft) {
  const auto& message = static_cast<const ConnectRule&>(rule.message());
  const RuleSource where = rule.at("abstract");
  const auto text = expand(message.abstract(), InGlob::kYes, options_.variables);
  if (!text) {
    report_.error(where, text.error());
    return false;
  }
  GlobShape shape = glob_shape(text->text);
  if (text->text.empty() || shape.prefix.size() + shape.suffix.size() > kMaxAbstract) {
    report_.error(where,
                  "an abstract name has 1 to 107 bytes; write it "
                  "without the leading NUL");
    return false;
  }
  std::size_t backslashes = 0;
  for (auto c = text->text.rbegin(); c != text->text.rend() && *c == '\\'; ++c) ++backslashes;
  if (backslashes % 2 != 0) {
    report_.error(where, "a backslash at the end escapes nothing; remove it, or write it twice");
    return false;
  }
  draft.abstract = shape.literal ? Component{Component::Kind::kLiteral, std::move(shape.prefix)}
                                 : Component{Component::Kind::kGlob, glob_normal(text->text)};
  draft.adapted = text->used_variable;
  draft_.merged.mutable_connect()->rbegin()->set_abstract(text->text);
  return true;
}

void RuleReader::read_connect(const Located& rule) {
  const auto& message = static_cast<const ConnectRule&>(rule.message());
  const bool ip = rule.names("address") || rule.names("port") || rule.names("port_end");
  const int kinds = static_cast<int>(ip) + static_cast<int>(rule.names("unix")) +
                    static_cast<int>(rule.names("abstract"));
  if (rule.names("host")) return;  // refused as not built
  if (kinds != 1) {
    report_.error(rule.start(), kinds == 0 ? "a connect rule that names nothing; add "
                                             "address:, port:, unix: or "
                                             "abstract:"
                                           : "a connect rule names either an address "
                                             "with a port, or unix:, or "
                                             "abstract:; write one rule for each");
    return;
  }
  if ((ip && message.protocol() == STREAM) || (!ip && message.protocol() == TCP)) {
    report_.error(rule.at("protocol"), ip ? "STREAM is for unix sockets; write TCP, or remove it"
                                          : "TCP is for addresses; write STREAM, or remove it");
    return;
  }
  DraftConnectRule draft;
  draft.source = rule.start();
  draft.deny = message.deny();
  *draft_.merged.add_connect() = message;
  const bool good = ip                   ? read_ports(rule, draft) && read_address(rule, draft)
                    : rule.names("unix") ? read_unix(rule, draft)
                                         : read_abstract(rule, draft);
  if (good) draft_.connects.push_back(std::move(draft));
}

}  // namespace torno::policy
