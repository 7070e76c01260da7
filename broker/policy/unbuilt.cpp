#include "broker/policy/unbuilt.h"

#include <string>

namespace torno::policy {
namespace {

struct Unbuilt {
  const char* in;  // the field of PolicyFile it stands in; "": the file itself
  const char* field;
  const char* instead;
};

// Refused whatever their value.
constexpr Unbuilt kUnbuilt[] = {
    {"", "bind", "a sandboxed program binds no socket; remove it"},
    {"", "peer", "a broker serves its own user alone; remove it"},
    {"", "resolver", "no name is resolved; remove it"},
    {"file", "delegate", "every file is opened by the broker; remove it"},
    {"connect", "host", "write the address"},
};

void refuse(const Located& in, const std::string& field, int index, const std::string& what,
            const std::string& instead, Report& report) {
  report.error(in.at(field, index), what + " is not built yet: " + instead);
}

void check_table(const std::string& name, const Located& in, Report& report) {
  for (const Unbuilt& unbuilt : kUnbuilt) {
    if (name == unbuilt.in && in.names(unbuilt.field)) {
      refuse(in, unbuilt.field, 0, "'" + std::string(unbuilt.field) + "'", unbuilt.instead, report);
    }
  }
}

}  // namespace

void check_unbuilt(const Located& root, Report& report) {
  const auto& policy = static_cast<const PolicyFile&>(root.message());
  check_table("", root, report);
  for (int i = 0; i < policy.file_size(); ++i) check_table("file", root.nested("file", i), report);

  for (int i = 0; i < policy.connect_size(); ++i) {
    const Located rule = root.nested("connect", i);
    check_table("connect", rule, report);
    const Protocol protocol = policy.connect(i).protocol();
    if (protocol == UDP || protocol == DGRAM || protocol == SEQPACKET) {
      refuse(rule, "protocol", 0, "protocol " + Protocol_Name(protocol),
             "only TCP and unix stream sockets are connected; remove the rule", report);
    }
  }

  if (policy.identity() == PEER) {
    refuse(root, "identity", 0, "identity PEER",
           "the broker acts as itself; write BROKER, or remove it", report);
  }
}

}  // namespace torno::policy
